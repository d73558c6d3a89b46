"""Loads one landed snapshot into history, under its source's lock, in the caller's transaction: all or nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from etl.domain.catalog import Catalog
from etl.load.landing import Landed
from etl.load.merge import Moves, Step, merge
from etl.load.stage import stage
from etl.load.tables import quarantine, snapshot, unmapped_field

COUNTED = ("loaded", "unchanged")
"""The states of snapshots that history is made of."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """What became of one snapshot."""

    status: str
    reason: str | None = None
    opened: int = 0
    closed: int = 0
    quarantined: int = 0
    unmapped: int = 0


def load(connection: Connection, landed: Landed, catalog: Catalog, *, now: datetime) -> Loaded:
    """Fit a snapshot into history and log it. The caller holds the lock of the source."""
    known_at = _known_at(connection, landed.source, now)
    step = Step(
        source=landed.source,
        observed_at=landed.observed_at,
        known_at=known_at,
        previous_at=_previous(connection, landed),
        coverage=catalog.coverage,
    )
    moves = merge(connection, stage(connection, catalog), step)
    _set_aside(connection, landed, catalog)
    return _log(connection, landed, catalog, moves, known_at)


def fail(connection: Connection, landed: Landed, reason: str) -> None:
    """Log that a landed snapshot could not be read. Its bytes stay, history is untouched."""
    connection.execute(
        update(snapshot).where(snapshot.c.snapshot_id == landed.snapshot_id).values(status="failed", reason=reason)
    )


def _known_at(connection: Connection, source: str, now: datetime) -> datetime:
    """The moment of this load on the second clock: now, yet later than any load before it, whatever the clocks say."""
    last = connection.scalar(select(func.max(snapshot.c.known_at)).where(snapshot.c.source == source))
    return now if last is None else max(now, last + timedelta(microseconds=1))


def _previous(connection: Connection, landed: Landed) -> datetime | None:
    """The last observation of the source before this one."""
    return connection.scalar(
        select(func.max(snapshot.c.observed_at)).where(
            snapshot.c.source == landed.source,
            snapshot.c.status.in_(COUNTED),
            snapshot.c.observed_at < landed.observed_at,
        )
    )


def _log(connection: Connection, landed: Landed, catalog: Catalog, moves: Moves, known_at: datetime) -> Loaded:
    opened, closed = moves.total(moves.opened), moves.total(moves.closed)
    status = "loaded" if opened or closed else "unchanged"
    connection.execute(
        update(snapshot)
        .where(snapshot.c.snapshot_id == landed.snapshot_id)
        .values(
            status=status,
            reason=catalog.coverage.reason,
            is_complete=catalog.coverage.is_complete,
            models=len(catalog.models),
            endpoints=len(catalog.endpoints),
            prices=len(catalog.prices),
            opened=opened,
            closed=closed,
            known_at=known_at,
        )
    )
    return Loaded(
        status=status,
        reason=catalog.coverage.reason,
        opened=opened,
        closed=closed,
        quarantined=len(catalog.quarantined),
        unmapped=len(catalog.unmapped),
    )


def _set_aside(connection: Connection, landed: Landed, catalog: Catalog) -> None:
    """Keep what could not be read or mapped, replacing what an earlier reading of the same bytes had kept."""
    of_snapshot = {"snapshot_id": landed.snapshot_id, "source": landed.source}
    for table in (quarantine, unmapped_field):
        connection.execute(delete(table).where(table.c.snapshot_id == landed.snapshot_id))
    _insert(
        connection,
        quarantine,
        (
            of_snapshot | {"page": each.page, "pointer": each.pointer, "reason": each.reason, "record": each.record}
            for each in catalog.quarantined
        ),
    )
    _insert(
        connection,
        unmapped_field,
        (
            of_snapshot | {"field": each.field, "count": each.count, "example": each.example}
            for each in catalog.unmapped
        ),
    )


def _insert(connection: Connection, table: Any, rows: Iterable[dict[str, Any]]) -> None:
    values = list(rows)
    if values:
        connection.execute(insert(table), values)
