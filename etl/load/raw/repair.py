"""Finds landed bodies that are damaged and replaces them; what was found in their place is kept in ``raw.damaged``."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import ARRAY, Connection, any_, func, insert, literal, select, update

from etl.errors import OutOfReachError
from etl.load import objects
from etl.load.bodies import fetch
from etl.load.tables import TIMESTAMP, content, damaged, page, raw_snapshot, snapshot

BATCH = 32
"""Bodies in memory at a time, as they are packed."""


def is_whole(packed: bytes, sha256: bytes, size: int) -> bool:
    """Return whether a packed body is the one that was landed."""
    try:
        objects.unpack(packed, sha256, size)
    except ValueError:
        return False
    return True


def batches(digests: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield digests some at a time, in one order, so that no two transactions wait for each other's rows."""
    ordered = sorted(set(digests))
    return (ordered[at : at + BATCH] for at in range(0, len(ordered), BATCH))


def lost(connection: Connection, digests: Iterable[bytes], archive: Path | None) -> Iterator[bytes]:
    """Yield the digests of those bodies that are damaged in the database, or archived and out of reach."""
    for some in batches(digests):
        for row in connection.execute(select(content).where(content.c.sha256.in_(some))).all():
            if row.body is None:
                try:
                    fetch(connection, row.sha256, row.size, archive)
                except OutOfReachError:
                    yield row.sha256
            elif not is_whole(row.body, row.sha256, row.size):
                yield row.sha256


def replace(connection: Connection, sha256: bytes, size: int, packed: bytes) -> bool:
    """Store a body where there is none, or a damaged one; return whether that was so.

    ``packed`` must be proven to be the body. The caller owns the transaction.
    """
    row = content.c.sha256 == sha256
    found = connection.scalar(select(content.c.body).where(row).with_for_update(key_share=True))
    if found is not None:
        if is_whole(found, sha256, size):
            return False
        connection.execute(insert(damaged).values(sha256=sha256, body=found))
        structlog.get_logger("etl.repair").warning("a damaged body was replaced", sha256=sha256.hex())
    connection.execute(update(content).where(row).values(body=packed))
    return True


def known_contents(
    connection: Connection, name: str, times: Iterable[datetime], archive: Path | None
) -> dict[datetime, bytes]:
    """The fingerprints of a source's snapshots that history is made of, by their times, where all bytes are whole."""
    counted = (
        select(snapshot.c.observed_at, raw_snapshot.c.fingerprint, func.array_agg(page.c.sha256).label("digests"))
        .join_from(snapshot, raw_snapshot, snapshot.c.snapshot_id == raw_snapshot.c.snapshot_id)
        .join(page, page.c.snapshot_id == snapshot.c.snapshot_id)
        .where(
            snapshot.c.source == name,
            snapshot.c.status.in_(("loaded", "unchanged")),
            snapshot.c.observed_at == any_(literal(list(times), ARRAY(TIMESTAMP))),
        )
        .group_by(snapshot.c.snapshot_id, raw_snapshot.c.snapshot_id)
    )
    found = connection.execute(counted).all()
    broken = set(lost(connection, {digest for row in found for digest in row.digests}, archive))
    return {row.observed_at: row.fingerprint for row in found if broken.isdisjoint(row.digests)}
