"""A command on a terminal of its own, as a person sees it."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

COLUMNS = 100

_TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "etl", *sys.argv[1:]])
"""
"""Ctrl-C only reaches processes whose controlling terminal it is typed on."""


class Seen(NamedTuple):
    """How a command ended, everything it wrote, and how long it went on after Ctrl-C."""

    status: int
    raw: str
    seconds: float

    @property
    def text(self) -> str:
        """What it wrote, without the signs that only a terminal obeys."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", self.raw)


def on_terminal(
    folder: Path,
    environ: Mapping[str, str],
    *arguments: str,
    interrupt_at: str | None = None,
    answers: Sequence[str] = (),
) -> Seen:
    """Run ``etl``; press Ctrl-C as soon as ``interrupt_at`` can be read, and answer what asks [y/N]."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    command = [sys.executable, "-c", _TAKE_TERMINAL, *arguments]
    values = {"TERM": "xterm", **environ}
    with subprocess.Popen(
        command, cwd=folder, env=values, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        raw, pressed, left = "", 0.0, list(answers)
        while part := _part(ours):
            raw += part
            if left and raw.count("[y/N]") > len(answers) - len(left):
                os.write(ours, f"{left.pop(0)}\n".encode())
            if interrupt_at and not pressed and interrupt_at in raw:
                pressed = time.monotonic()
                os.write(ours, b"\x03")
    os.close(ours)
    return Seen(process.returncode, raw, time.monotonic() - pressed)


def _part(terminal: int) -> str:
    """The next bytes; nothing when the other end is closed, which Linux calls an error."""
    try:
        return os.read(terminal, 65536).decode(errors="replace")
    except OSError:
        return ""
