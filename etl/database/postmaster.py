"""What postmaster.pid says, and how much of it to believe: a pid may belong to another program by now."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, kw_only=True)
class Postmaster:
    """What a server says of itself in postmaster.pid; ``identity`` tells two servers apart."""

    pid: int
    port: int
    identity: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The file's text; None while it is incomplete. Pid, folder, start time and port never change."""
        lines = text.splitlines()[:4]
        try:
            return cls(pid=int(lines[0]), port=int(lines[3]), identity=tuple(lines))
        except (IndexError, ValueError):
            return None

    @classmethod
    def of(cls, data: Path) -> Self | None:
        """The server that runs in ``data``, or died there, by its own account."""
        try:
            return cls.parse((data / "postmaster.pid").read_text())
        except (FileNotFoundError, NotADirectoryError):
            return None


def is_server(pid: int, data: Path) -> bool:
    """Whether the process is a Postgres that works in ``data``; where we may not look, yes."""
    if not Path("/proc/self").exists():
        return _exists(pid)
    process = Path("/proc", str(pid))
    try:
        name, state = (process / "stat").read_text().rpartition(")")[::2]
        return name.endswith("(postgres") and state.split()[0] not in "ZX" and (process / "cwd").samefile(data)
    except (FileNotFoundError, ProcessLookupError):
        return False
    except PermissionError:
        return True


def forget_stranger(data: Path) -> None:
    """Remove a postmaster.pid that Postgres would stumble over. Only under the lock: then nobody works in ``data``.

    Postgres copes with the number of a dead process, but not with a file that is no longer whole, nor with a number
    that belongs to another program of the same user by now.
    """
    file = data / "postmaster.pid"
    if not file.exists():
        return
    postmaster = Postmaster.of(data)
    if postmaster is None or (_exists(postmaster.pid) and not is_server(postmaster.pid, data)):
        file.unlink()


def _exists(pid: int) -> bool:
    """Whether there is a process with this number, whoever it may be."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
