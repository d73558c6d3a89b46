"""Keeps Python's collector of cyclic garbage from walking again and again through what is just being read.

Decoded JSON and the records made of it are many, young, all in use, and without cycles: looking through them for
garbage takes most of the time and finds none. What nobody refers to any more is freed at once all the same.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()
_holders = 0
"""How many are reading, in whatever thread: the switch is one for the whole process."""

_was_on = False


@contextmanager
def uncollected() -> Iterator[None]:
    """The collector rests until the last of those who read at once is done; one that was off stays off."""
    global _holders, _was_on  # noqa: PLW0603  what they count is global, too
    with _lock:
        if _holders == 0:
            _was_on = gc.isenabled()
            gc.disable()
        _holders += 1
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if _holders == 0 and _was_on:
                gc.enable()
