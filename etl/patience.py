"""An answer in time or none: what asks a database that hangs must not hang with it."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread
from typing import Generic, TypeVar

T = TypeVar("T")


class Patient(Generic[T]):
    """Work that is waited for only so many seconds, and never done twice at once.

    Whoever asks while it goes on waits for the same answer, so that work that hangs costs one thread however often it
    is asked for. Raises ``TimeoutError`` when the time is up, and whatever the work raises.
    """

    def __init__(self, work: Callable[[], T], seconds: float) -> None:
        self._work = work
        self._seconds = seconds
        self._lock = Lock()
        self._going: Future[T] | None = None

    def __call__(self) -> T:
        """What the work gives."""
        with self._lock:
            if self._going is None or self._going.done():
                self._going = Future()
                # The process does not wait for it at its end.
                Thread(target=self._do, args=(self._going,), name="patient", daemon=True).start()
            going = self._going
        return going.result(self._seconds)

    def _do(self, going: Future[T]) -> None:
        try:
            going.set_result(self._work())
        except BaseException as error:  # noqa: BLE001  it is raised where it is waited for
            going.set_exception(error)
