"""The files of an archive: bodies under the digest of what they hold, each whole on disk or not there at all."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import zstandard

from etl.errors import ArchiveError
from etl.files import atomic

OBJECTS = "objects"


class DamagedObjectError(ArchiveError):
    """A file of an archive does not hold the body that its name promises."""


def path_of(folder: Path, sha256: bytes) -> Path:
    """Where an archive keeps a body: ``objects/ab/abcdef….zst``, named by the SHA-256 of the uncompressed body."""
    name = sha256.hex()
    return folder / OBJECTS / name[:2] / f"{name}.zst"


def unpack(packed: bytes, sha256: bytes, size: int) -> bytes:
    """The body that was packed. Raises ``ValueError`` saying in what it is not the one that was landed."""
    try:
        # What a damaged header promises is not believed: it could be more than the memory holds.
        promised = zstandard.frame_content_size(packed)
        body = zstandard.decompress(packed, max_output_size=size) if promised in (size, -1) else None
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from None
    if body is None:
        raise ValueError(f"it has {promised} bytes, not {size}")
    if hashlib.sha256(body).digest() != sha256:
        raise ValueError(f"their sha-256 is not {sha256.hex()}")
    return body


def read(folder: Path, sha256: bytes, size: int) -> bytes | None:
    """A body as it is packed in an archive, proven to be it; null where the archive has no such file.

    Raises ``ArchiveError`` when the file holds something else or cannot be read.
    """
    path = path_of(folder, sha256)
    try:
        packed = path.read_bytes()
        unpack(packed, sha256, size)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ArchiveError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise DamagedObjectError(
            f"{path} is damaged: {error}; put back a good copy of this file, or land the same bytes again"
        ) from None
    return packed


def put(folder: Path, sha256: bytes, size: int, packed: bytes) -> bool:
    """Have a body in an archive, read back and proven; false when it was there already.

    A file of this name that is damaged is replaced. Raises ``ArchiveError`` when that cannot be done, also when
    ``packed`` is not the body.
    """
    if _is_there(folder, sha256, size, packed):
        return False
    write(path_of(folder, sha256), [packed])
    if read(folder, sha256, size) is None:
        raise ArchiveError(f"{path_of(folder, sha256)}: was written and is not there")
    return True


def _is_there(folder: Path, sha256: bytes, size: int, packed: bytes) -> bool:
    """Whether an archive has a body; ``packed`` is proven before it takes the place of anything."""
    try:
        if read(folder, sha256, size) is not None:
            return True
    except DamagedObjectError:
        pass
    try:
        unpack(packed, sha256, size)
    except ValueError as error:
        raise ArchiveError(
            f"the body {sha256.hex()} is damaged in the database ({error}), so it is not archived: "
            "`etl verify` names its snapshots and what to do"
        ) from None
    return False


def write(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file that is there whole, on disk, or not at all. Raises ``ArchiveError``."""
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write(path, pieces)
        # The names of the file and of new folders are on disk only when the folders that hold them are.
        for folder in (path.parent, path.parent.parent):
            atomic.sync_folder(folder)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArchiveError(
            f"{error.filename or path}: {error.strerror}: nothing was dropped; mend it or name another folder"
        ) from None
