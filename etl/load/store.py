"""Writes snapshots that are new into the database, some at a time: a few statements for all of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from etl.domain.snapshot import storable
from etl.load.parcel import Body, Parcel
from etl.load.raw import repair
from etl.load.tables import content, page, raw_snapshot, snapshot


def store(connection: Connection, new: Sequence[Parcel], *, landed_at: datetime, failure: str | None) -> Sequence[int]:
    """Write down snapshots that are not there yet, each content once; gives their numbers, in the same order.

    With ``failure`` they are evidence of a walk that was given up.
    """
    status = "landed" if failure is None else "failed"
    rows = [parcel.row | {"landed_at": landed_at, "failure": failure and storable(failure)} for parcel in new]
    numbered = insert(raw_snapshot).returning(raw_snapshot.c.snapshot_id, sort_by_parameter_order=True)
    ids = connection.scalars(numbered, rows).all()
    _store_bodies(connection, {digest: body for parcel in new for digest, body in parcel.bodies.items()})
    pages = [{"snapshot_id": number} | row for number, parcel in zip(ids, new, strict=True) for row in parcel.pages]
    if pages:
        connection.execute(insert(page), pages)
    # What is landed is loaded at once by the same process: its first attempt, counted without a commit of its own.
    log = {"status": status, "reason": failure and storable(failure), "attempts": int(failure is None)}
    logged = [
        log | {"snapshot_id": number, "source": parcel.source, "observed_at": parcel.observed_at}
        for number, parcel in zip(ids, new, strict=True)
    ]
    connection.execute(insert(snapshot), logged)
    return ids


def heal(connection: Connection, known: Iterable[Parcel], archive: Path | None) -> None:
    """Store again what came of snapshots that are there, where that is damaged or out of reach."""
    bodies = {digest: body for parcel in known for digest, body in parcel.bodies.items()}
    _store_bodies(connection, {digest: bodies[digest] for digest in repair.lost(connection, bodies, archive)})


def _store_bodies(connection: Connection, bodies: Mapping[bytes, Body]) -> None:
    """Have bodies in the database, each once; what is there is compared, and replaced where it is damaged.

    What is there and whole is not compressed in vain.
    """
    for some in repair.batches(bodies):
        found = connection.execute(select(content.c.sha256, content.c.body).where(content.c.sha256.in_(some)))
        there = {row.sha256: row.body for row in found}
        new = [digest for digest in some if digest not in there]
        if new:
            rows = [{"sha256": each, "size": bodies[each].size, "body": bodies[each].packed().content} for each in new]
            connection.execute(upsert(content).on_conflict_do_nothing(), rows)
        for digest, stored in there.items():
            if stored is None or not repair.is_whole(stored, digest, bodies[digest].size):
                repair.replace(connection, digest, bodies[digest].size, bodies[digest].packed().content)
