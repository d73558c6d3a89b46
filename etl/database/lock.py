"""A lock that the kernel keeps: whoever dies, by whatever signal, lets go of it.

It belongs to the open file and not to the process, so children that inherit the descriptor hold it too.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def holding(path: Path) -> Iterator[int]:
    """Wait for the lock and hold it; gives the descriptor."""
    with _opened(path) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor


@contextmanager
def trying(path: Path) -> Iterator[int | None]:
    """Hold the lock if nobody does; gives the descriptor or, when it is taken, None."""
    with _opened(path) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield descriptor


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Close without unlocking: a child that inherited the lock keeps it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
