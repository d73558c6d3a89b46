"""Postgres refuses to run as root: become somebody else, who can still reach what is needed.

The data stay where they are, also below a folder that the other user may not enter: root opens them and hands over the
descriptor (see ``entrance``). Programs cannot be reached that way, so those are copied. No folder but our own changes.
"""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from etl.database.binaries import Binaries, inspect
from etl.database.lock import holding
from etl.errors import DatabaseError

_NAMES = ("postgres", "nobody")
_DESCRIPTORS = Path("/proc/self/fd")
_PLACES = ("/var/lib", "/opt", "/var/tmp", "/tmp")  # noqa: S108 - see _refuse_foreign
_COPIES = tuple(Path(place, "llm-price-warehouse") for place in _PLACES)
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH")


@dataclass(frozen=True, kw_only=True)
class Account:
    """The user that Postgres runs as in place of root."""

    uid: int
    gid: int


def account_for(folder: Path) -> Account | None:
    """Who runs Postgres: we ourselves (None) or, when we are root, the owner of ``folder``, else a user that exists."""
    if os.geteuid() != 0:
        return None
    owner = folder.stat()
    if owner.st_uid != 0:
        return Account(uid=owner.st_uid, gid=owner.st_gid)
    for name in _NAMES:
        with suppress(KeyError):
            user = pwd.getpwnam(name)
            return Account(uid=user.pw_uid, gid=user.pw_gid)
    raise DatabaseError(
        f"Postgres does not run as root, and no user {' or '.join(_NAMES)} exists: run as an ordinary user"
    )


def hand_over(folder: Path, account: Account | None) -> None:
    """Give our own ``folder``, and all that is in it, to the account; itself last, as the sign that all is done."""
    if account is None or folder.stat().st_uid == account.uid:
        return
    try:
        for path in (*folder.rglob("*"), folder):
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
    except OSError as error:
        raise DatabaseError(
            f"Postgres does not run as root, and {folder} cannot be given to user {account.uid} ({error.strerror}): "
            "run as an ordinary user, or set ETL_HOME to another folder or DATABASE_URL to a server that runs"
        ) from error


@contextmanager
def entrance(folder: Path, account: Account | None) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A name by which the account's processes reach ``folder``, and the descriptors that they need to inherit.

    Linux follows ``/proc/self/fd/N`` straight to the folder that root opened, without asking those above it for
    permission. So a HOME with mode 0700 stays as it is, and the server has no rights in it but to its own data.
    """
    if account is None or not _DESCRIPTORS.is_dir():
        yield str(folder), ()
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield str(_DESCRIPTORS / str(descriptor)), (descriptor,)
    finally:
        os.close(descriptor)


def run(
    command: Sequence[str], *, account: Account | None, descriptors: Sequence[int], output: IO[bytes], seconds: float
) -> int:
    """Run one of Postgres's programs to its end and give its exit status.

    It has a session of its own, so that Ctrl-C in the starter's terminal does not end the server, and an environment
    without our credentials, which a server that is left running would otherwise keep readable for days.
    """
    return subprocess.run(  # noqa: S603 - the programs that binaries.py found
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        cwd="/",
        env=_environment(os.environ),
        pass_fds=descriptors,
        start_new_session=True,
        umask=0o077,
        timeout=seconds,
        check=False,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    ).returncode


def reachable(binaries: Binaries, account: Account | None) -> Binaries:
    """The same programs at a place where the account can run them: where they are, or else in a private copy."""
    if account is None or inspect(binaries.folder, account.uid, account.gid):
        return binaries
    for place in _COPIES:
        with suppress(OSError):
            copied = _copy(binaries, place)
            found = inspect(copied, account.uid, account.gid)
            if found:
                return found
            shutil.rmtree(copied.parents[2])
    raise DatabaseError(
        f"user {account.uid}, who runs Postgres for root, cannot run what is in {binaries.folder}, nor a copy "
        f"in {' nor in '.join(map(str, _COPIES))}: set PGBIN to programs that everyone may run"
    )


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """What Postgres needs of our environment: messages that we can read, and no PGDATA or PGPORT."""
    return {name: ours[name] for name in _PASSED_ON if name in ours} | {"LC_ALL": "C", "TZ": "UTC"}


def _copy(binaries: Binaries, place: Path) -> Path:
    """Copy an installation below ``place``, which only root may change, and give the copy's program folder."""
    with suppress(FileExistsError):
        place.mkdir(mode=0o755)
        place.chmod(0o755)  # A strict umask would have closed it for the account.
    _refuse_foreign(place)
    tree = binaries.folder.parent
    target = place / f"postgres-{binaries.version}-{_fingerprint(tree)}"
    with holding(place / "copy.lock"):
        for leftover in place.glob("copying-*"):
            shutil.rmtree(leftover)
        if not target.exists():
            _copy_tree(tree, target)
    return target / tree.parent.name / tree.name / binaries.folder.name


def _copy_tree(tree: Path, target: Path) -> None:
    """Copy the parts of an installation, readable for everyone; they appear all at once.

    The programs look for libraries at places relative to their own, so each part keeps its place below ``target``.
    """
    copying = Path(tempfile.mkdtemp(prefix="copying-", dir=target.parent))
    for part in _parts(tree):
        shutil.copytree(part, copying / part.relative_to(tree.parents[1]), symlinks=True)
    for path in (copying, *copying.rglob("*")):
        if not path.is_symlink():
            os.chown(path, 0, 0)
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    copying.rename(target)


def _parts(tree: Path) -> list[Path]:
    """The folders that the programs need; a wheel keeps the libraries it brings along beside its package."""
    package = tree.parent
    wanted = [tree / "bin", tree / "lib", tree / "share", package.with_name(f"{package.name}.libs")]
    return [folder for folder in wanted if folder.is_dir()]


def _refuse_foreign(place: Path) -> None:
    """Under /tmp anyone may have made this folder before us, to have root start other programs."""
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
        raise PermissionError(place)


def _fingerprint(tree: Path) -> str:
    """Changes when a file of the installation does, judged by name, size and time."""
    digest = hashlib.sha256()
    for path in sorted(path for part in _parts(tree) for path in part.rglob("*")):
        found = path.lstat()
        digest.update(f"{path}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:12]
