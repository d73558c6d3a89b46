"""Remembers the records of the snapshot that the open versions of a source are, so that the next one is read in part.

What is remembered is true in the transaction that wrote it and is forgotten by whatever else changes history: a late
snapshot, a correction, a snapshot that is not plain. It is only ever a shorter way to the same history.
"""

from typing import NamedTuple

from sqlalchemy import Connection, Text, bindparam, delete, exists, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from etl.database.driver import Statement
from etl.domain.catalog import Catalog
from etl.domain.records import Records
from etl.load.landing import Landed
from etl.load.marks import mark
from etl.load.tables import TIMESTAMP, applied, raw_snapshot, snapshot


class Former(NamedTuple):
    """The records of the snapshot before, and whether the one that follows came in the very same bytes."""

    records: Records
    is_repeated: bool


def former(connection: Connection, landed: Landed) -> Former | None:
    """What the open versions are, if the landed snapshot follows them directly and is read as they were."""
    values = {"source_": landed.source, "kind": landed.kind, "at": landed.observed_at, "reading": reading()}
    for records, fingerprint in _FORMER.rows(connection, **values):
        return Former(Records.unpack(records), fingerprint == landed.fingerprint)
    return None


def keep(connection: Connection, landed: Landed, catalog: Catalog) -> None:
    """Remember that the open versions of the source are what this snapshot says, where it is plain."""
    if catalog.records is None:
        forget(connection, landed.source)
    elif catalog.part and catalog.records.says_as(catalog.part.former):
        _MOVE_ON.rows(connection, source_=landed.source, snapshot_id_=landed.snapshot_id)
    else:
        values = {"source": landed.source, "snapshot_id": landed.snapshot_id, "reading": reading()}
        _KEEP.rows(connection, **values, records=catalog.records.pack())


def forget(connection: Connection, source: str) -> None:
    """No longer vouch for what the open versions are: the next snapshot is read whole."""
    connection.execute(delete(applied).where(applied.c.source == source))


def reading() -> str:
    """How records are read: two versions of the program may read the same bytes otherwise.

    To be asked for the first time as the program starts: the modules that were imported, not ones put there later.
    """
    return mark("etl.domain", "etl.sources")


_SOURCE = bindparam("source_", type_=Text)
_IS_HELD = exists().where(snapshot.c.source == _SOURCE, snapshot.c.status == literal_column("'held'"))
_FORMER = Statement(
    select(applied.c.records, raw_snapshot.c.fingerprint)
    .join_from(applied, raw_snapshot, raw_snapshot.c.snapshot_id == applied.c.snapshot_id)
    .where(
        applied.c.source == _SOURCE,
        applied.c.reading == bindparam("reading", type_=Text),
        raw_snapshot.c.kind == bindparam("kind", type_=Text),
        raw_snapshot.c.observed_at < bindparam("at", type_=TIMESTAMP),
        ~_IS_HELD,
    )
)
_MOVE_ON = Statement(
    update(applied)
    .where(applied.c.source == _SOURCE)
    .values(snapshot_id=bindparam("snapshot_id_", type_=applied.c.snapshot_id.type))
)
_NEW = upsert(applied).values({column.name: bindparam(column.name, type_=column.type) for column in applied.c})
_KEPT = {name: _NEW.excluded[name] for name in ("snapshot_id", "reading", "records")}
_KEEP = Statement(_NEW.on_conflict_do_update(index_elements=["source"], set_=_KEPT))
