"""What stdout and stderr lead to may be closed, full or gone: no command breaks off in its middle because of that."""

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_STDIN, _STDOUT, _STDERR = 0, 1, 2


class _Device(io.FileIO):
    """Writes to a descriptor until that fails for the first time, which is remembered; the rest goes nowhere."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self.trouble: OSError | None = None

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write, or remember why not."""
        try:
            return super().write(data)
        except OSError as error:
            self.trouble = error
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return memoryview(data).nbytes


class Streams:
    """The devices of this process; none where something else stands in the place of stdout, as in tests."""

    stdout: _Device | None = None


def secure() -> None:
    """Have stdin, stdout and stderr open, so that no file or connection gets their number, and never fail on them."""
    for descriptor in (_STDIN, _STDOUT, _STDERR):
        _occupy(descriptor)
    sys.stderr = _opened(sys.stderr, sys.__stderr__, _STDERR)[0]
    sys.stdout, Streams.stdout = _opened(sys.stdout, sys.__stdout__, _STDOUT)


def unwritten() -> str | None:
    """Return why not all of stdout was written, in one line; null when it was, or when its reader had enough."""
    if Streams.stdout is None:
        return None
    sys.stdout.flush()
    trouble = Streams.stdout.trouble
    if trouble is None or trouble.errno == errno.EPIPE:
        return None
    return f"stdout cannot be written: {trouble.strerror}"


def _occupy(descriptor: int) -> None:
    """Open a closed descriptor as one that cannot be written either, but for stderr, whose lines go nowhere."""
    try:
        os.fstat(descriptor)
    except OSError:
        opened = os.open(os.devnull, os.O_WRONLY if descriptor == _STDERR else os.O_RDONLY)
        if opened != descriptor:
            os.dup2(opened, descriptor)
            os.close(opened)
        os.set_inheritable(descriptor, True)  # noqa: FBT003  it takes no keyword


def _opened(present: TextIO | None, original: TextIO | None, descriptor: int) -> tuple[TextIO, _Device | None]:
    """Return the stream to write to, and its device; what is not Python's own stream stays as it is."""
    if present is not original and present is not None:
        return present, None
    device = _Device(descriptor)
    stream = io.TextIOWrapper(
        io.BufferedWriter(device),
        encoding=present.encoding if present else "utf-8",
        errors=present.errors if present else "backslashreplace",
        line_buffering=descriptor == _STDERR or device.isatty() or "PYTHONUNBUFFERED" in os.environ,
    )
    return stream, device
