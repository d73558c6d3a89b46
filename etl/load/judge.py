"""Decides what becomes of a landed snapshot: history, held in doubt, or, with it, an earlier one that was held."""

from dataclasses import replace
from datetime import UTC, datetime

import structlog
from sqlalchemy import Connection

from etl.domain.catalog import Catalog
from etl.domain.snapshot import Origin
from etl.errors import ContractError, UsageError
from etl.load import scratch
from etl.load.doubt import Doubt, objection
from etl.load.history import Loaded, Read, apply, counted, fit, mark, step_of
from etl.load.landing import Landed, landed, landed_of
from etl.load.merge import Step
from etl.load.stage import stage
from etl.load.tables import snapshot


def load(
    connection: Connection, arrived: Landed, catalog: Catalog, read: Read, *, now: datetime, doubt: Doubt
) -> Loaded:
    """Load a snapshot, or hold it. A backfilled one is taken as it is. The caller holds the lock of the source."""
    why, moved_at = None, None
    if arrived.origin is Origin.RUN:
        why = _objection(connection, arrived, catalog, doubt)
        held = _held_before(connection, arrived) if catalog.coverage.is_complete else []
        former = _readable(held[-1], read) if why and held else None
        if former is not None and not _objection(connection, arrived, catalog, doubt, after=(held[-1], former)):
            confirmed, why = held.pop(), None
            fitted = fit(connection, confirmed, former, read, now=now)
            moved_at = fitted.moved_at
            _tell("held snapshot confirmed", confirmed, by=arrived, opened=fitted.opened, closed=fitted.closed)
        if why is None:
            _reject(connection, held, arrived)
    if why:
        mark(connection, arrived, "held", why)
        return Loaded(status="held", reason=why)
    loaded = fit(connection, arrived, catalog, read, now=now)
    return replace(loaded, moved_at=moved_at or loaded.moved_at)


def release(connection: Connection, held: Landed, read: Read, *, now: datetime) -> Loaded:
    """Load a held snapshot because a person says so."""
    return fit(connection, held, read(held), read, now=now)


def reject(connection: Connection, snapshot_id: int) -> None:
    """Refuse a held snapshot because a person says so: it never counts. Raises ``UsageError`` when it is not held."""
    mark(connection, require_held(connection, snapshot_id), "rejected", "rejected by a person")


def require_held(connection: Connection, snapshot_id: int) -> Landed:
    """The held snapshot of this number. Raises ``UsageError``."""
    found = landed(connection, snapshot_id)
    if found is None or found.status != "held":
        state = "does not exist" if found is None else f"is {found.status}, not held"
        raise UsageError(f"snapshot {snapshot_id} {state}: `etl snapshots` lists them")
    return found


def _objection(
    connection: Connection, arrived: Landed, catalog: Catalog, doubt: Doubt, after: tuple[Landed, Catalog] | None = None
) -> str | None:
    """Why to hold a snapshot against history as it is at its time, or as it would be ``after`` a held one."""
    step = _step(arrived, catalog)
    if after is not None or counted(connection, arrived.source, after=arrived.observed_at):
        scratch.create(connection)
        scratch.seed(connection, arrived.source, arrived.observed_at)
        step = replace(step, schema=scratch.SCHEMA)
    if after is not None:
        # As if seen at this moment: versions that began since the held one must not end before they began.
        supposed = replace(_step(*after), observed_at=arrived.observed_at, schema=scratch.SCHEMA)
        apply(connection, after[1], supposed)
    if catalog.part and not catalog.part.models:
        return None
    stage(connection, catalog)
    return objection(connection, step, doubt, catalog.part.former if catalog.part else None)


def _readable(held: Landed, read: Read) -> Catalog | None:
    """What a held snapshot says; null when it can no longer be read, so that it confirms nothing."""
    try:
        return read(held)
    except ContractError:
        return None


def _step(landed: Landed, catalog: Catalog) -> Step:
    """A step that is only tried, so that it becomes known at the end of time: later than anything that is."""
    return step_of(landed, catalog, previous_at=None, known_at=datetime.max.replace(tzinfo=UTC))


def _held_before(connection: Connection, arrived: Landed) -> list[Landed]:
    return landed_of(
        connection,
        snapshot.c.source == arrived.source,
        snapshot.c.status == "held",
        snapshot.c.observed_at < arrived.observed_at,
    )


def _reject(connection: Connection, held: list[Landed], arrived: Landed) -> None:
    for each in held:
        mark(connection, each, "rejected", f"the complete snapshot {arrived.snapshot_id} did not agree")
        _tell("held snapshot rejected", each, by=arrived)


def _tell(event: str, held: Landed, *, by: Landed, **facts: int) -> None:
    """Say what became of a held snapshot: nobody asked for it by name."""
    structlog.get_logger().info(event, source=held.source, snapshot=held.snapshot_id, by=by.snapshot_id, **facts)
