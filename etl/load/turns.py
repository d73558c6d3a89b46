"""Turns of the loads of one process: most go on beside each other, one that was cut off before has its process alone.

Whatever ends the process then was that one: no load beside it is counted as cut off twice by the fault of another.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Lets any number of loads in, or one alone. A turn is not taken within another one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._loads = 0
        self._waiting = 0
        self._is_alone = False

    @contextmanager
    def take(self, *, alone: bool) -> Iterator[None]:
        """Hold a turn; with ``alone`` nothing else is loaded meanwhile, nor begun while it is waited for."""
        with self._changed:
            self._waiting += alone
            self._changed.wait_for(lambda: not self._is_alone and not (self._loads if alone else self._waiting))
            self._waiting -= alone
            self._is_alone = alone
            self._loads += 1
        try:
            yield
        finally:
            with self._changed:
                self._loads -= 1
                self._is_alone = False
                self._changed.notify_all()


TURNS = Turns()
"""Those of this process."""
