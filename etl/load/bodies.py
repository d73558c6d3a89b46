"""Where the body of a page is: in the database, or, once it was archived and dropped there, in a folder."""

from pathlib import Path

from sqlalchemy import Connection, select

from etl.errors import ArchiveError, DamagedError, OutOfReachError
from etl.load import objects
from etl.load.tables import archived


def body_of(connection: Connection, sha256: bytes, size: int, packed: bytes | None, at: Path | None) -> bytes:
    """The body of a page, byte for byte. ``packed`` is null where it is archived; ``at`` is where to look first.

    Raises ``DamagedError`` when the stored bytes are not those that were landed, ``OutOfReachError`` when no folder
    gives them back.
    """
    try:
        return objects.unpack(fetch(connection, sha256, size, at) if packed is None else packed, sha256, size)
    except ValueError as error:
        raise DamagedError(f"the body {sha256.hex()} is damaged in the database ({error})") from None


def fetch(connection: Connection, sha256: bytes, size: int, at: Path | None) -> bytes:
    """An archived body as it is packed, from the configured folder or from where it was put.

    Raises ``OutOfReachError`` naming the body and the folders.
    """
    recorded = select(archived.c.folder).where(archived.c.sha256 == sha256).order_by(archived.c.archived_at.desc())
    folders = dict.fromkeys([*([at] if at else []), *map(Path, connection.scalars(recorded))])
    trouble = None
    for folder in folders:
        try:
            found = objects.read(folder, sha256, size)
        except ArchiveError as error:
            trouble = error
        else:
            if found is not None:
                return found
    if trouble is not None:
        raise OutOfReachError(f"the body {sha256.hex()} is archived, and {trouble}")
    raise OutOfReachError(
        f"the body {sha256.hex()} is archived and not in {' or '.join(map(str, folders))}: "
        "mount that folder, or set ETL_ARCHIVE to where it is now"
    )
