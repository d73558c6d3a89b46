"""Writes snapshots that are new into the database, some at a time: a few statements for all of them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from etl.domain.snapshot import storable
from etl.load.parcel import Parcel
from etl.load.tables import content, page, raw_snapshot, snapshot


def store(connection: Connection, new: Sequence[Parcel], *, landed_at: datetime, failure: str | None) -> Sequence[int]:
    """Write down snapshots that are not there yet, each content once; gives their numbers, in the same order.

    With ``failure`` they are evidence of a walk that was given up.
    """
    status = "landed" if failure is None else "failed"
    rows = [parcel.row | {"landed_at": landed_at, "failure": failure and storable(failure)} for parcel in new]
    numbered = insert(raw_snapshot).returning(raw_snapshot.c.snapshot_id, sort_by_parameter_order=True)
    ids = connection.scalars(numbered, rows).all()
    contents = list(_contents(connection, new))
    if contents:
        connection.execute(_STORE, contents)
    pages = [{"snapshot_id": number} | row for number, parcel in zip(ids, new, strict=True) for row in parcel.pages]
    if pages:
        connection.execute(insert(page), pages)
    # Whoever lands a snapshot loads it at once: that is its first attempt, counted without a commit of its own.
    log = {"status": status, "reason": failure and storable(failure), "attempts": int(failure is None)}
    logged = [
        log | {"snapshot_id": number, "source": parcel.source, "observed_at": parcel.observed_at}
        for number, parcel in zip(ids, new, strict=True)
    ]
    connection.execute(insert(snapshot), logged)
    return ids


def _contents(connection: Connection, new: Iterable[Parcel]) -> Iterator[dict[str, object]]:
    """The contents that are not there, or not any more, compressed; what is there is not compressed in vain."""
    wanted = {digest: body for parcel in new for digest, body in parcel.bodies.items()}
    is_there = content.c.sha256.in_(wanted) & content.c.body.is_not(None)
    there = set(connection.scalars(select(content.c.sha256).where(is_there))) if wanted else set()
    for digest, body in sorted(wanted.items()):  # In one order, lest two that land the same wait for each other.
        if digest not in there:
            yield {"sha256": digest, "size": body.size, "body": body.packed().content}


_STORED = upsert(content)
_STORE = _STORED.on_conflict_do_update(
    index_elements=["sha256"], set_={"body": _STORED.excluded.body}, where=content.c.body.is_(None)
)
