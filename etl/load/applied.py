"""Remembers the records of the snapshot that the open versions of a source are, so that the next one is read in part.

What is remembered is true in the transaction that wrote it and is forgotten by whatever else changes history: a late
snapshot, a correction, a snapshot that is not plain. It is only ever a shorter way to the same history.
"""

from typing import NamedTuple

from sqlalchemy import Connection, delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from etl.domain.catalog import Catalog
from etl.domain.records import Records
from etl.load.landing import Landed
from etl.load.marks import mark
from etl.load.tables import applied, raw_snapshot, snapshot


class Former(NamedTuple):
    """The records of the snapshot before, and whether the one that follows came in the very same bytes."""

    records: Records
    is_repeated: bool


def former(connection: Connection, landed: Landed) -> Former | None:
    """What the open versions are, if the landed snapshot follows them directly and is read as they were."""
    is_held = exists().where(snapshot.c.source == landed.source, snapshot.c.status == "held")
    found = connection.execute(
        select(applied.c.records, raw_snapshot.c.fingerprint)
        .join_from(applied, raw_snapshot, raw_snapshot.c.snapshot_id == applied.c.snapshot_id)
        .where(
            applied.c.source == landed.source,
            applied.c.reading == _reading(),
            raw_snapshot.c.kind == landed.kind,
            raw_snapshot.c.observed_at < landed.observed_at,
            ~is_held,
        )
    ).one_or_none()
    return found and Former(Records.unpack(found.records), found.fingerprint == landed.fingerprint)


def keep(connection: Connection, landed: Landed, catalog: Catalog) -> None:
    """Remember that the open versions of the source are what this snapshot says, where it is plain."""
    if catalog.records is None:
        forget(connection, landed.source)
    elif catalog.part and catalog.records.says_as(catalog.part.former):
        same = update(applied).where(applied.c.source == landed.source)
        connection.execute(same.values(snapshot_id=landed.snapshot_id))
    else:
        values = {"snapshot_id": landed.snapshot_id, "reading": _reading(), "records": catalog.records.pack()}
        new = upsert(applied).values(source=landed.source, **values)
        connection.execute(new.on_conflict_do_update(index_elements=["source"], set_=values))


def forget(connection: Connection, source: str) -> None:
    """No longer vouch for what the open versions are: the next snapshot is read whole."""
    connection.execute(delete(applied).where(applied.c.source == source))


def _reading() -> str:
    """How records are read: two versions of the program may read the same bytes otherwise."""
    return mark("etl.domain", "etl.sources")
