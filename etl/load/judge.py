"""Decides what becomes of a landed snapshot: history, held in doubt, or, with it, an earlier one that was held."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from etl.domain.catalog import Catalog
from etl.domain.snapshot import Origin
from etl.errors import UsageError
from etl.load import scratch
from etl.load.doubt import Doubt, objection
from etl.load.history import Loaded, Read, apply, counted, fit, mark
from etl.load.landing import Landed, landed, landed_of
from etl.load.merge import Step
from etl.load.stage import stage
from etl.load.tables import snapshot


def load(
    connection: Connection, arrived: Landed, catalog: Catalog, read: Read, *, now: datetime, doubt: Doubt
) -> Loaded:
    """Load a snapshot, or hold it. A backfilled one is taken as it is. The caller holds the lock of the source."""
    if arrived.origin is Origin.BACKFILL:
        return fit(connection, arrived, catalog, read, now=now)
    why = _objection(connection, arrived, catalog, doubt, now, after=None)
    held = landed_of(
        connection,
        snapshot.c.source == arrived.source,
        snapshot.c.status == "held",
        snapshot.c.observed_at < arrived.observed_at,
    )
    if why is None:
        if catalog.coverage.is_complete:
            _reject(connection, held, arrived)
        return fit(connection, arrived, catalog, read, now=now)
    is_confirming = held and catalog.coverage.is_complete
    if not is_confirming or _objection(
        connection, arrived, catalog, doubt, now, after=(held[-1], read(held[-1]))
    ):
        mark(connection, arrived, "held", why)
        return Loaded(status="held", reason=why)
    _reject(connection, held[:-1], arrived)
    fit(connection, held[-1], read(held[-1]), read, now=now)
    return fit(connection, arrived, catalog, read, now=now)


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


def _objection(  # noqa: PLR0913  each is a fact of its own
    connection: Connection,
    arrived: Landed,
    catalog: Catalog,
    doubt: Doubt,
    now: datetime,
    after: tuple[Landed, Catalog] | None,
) -> str | None:
    """Why to hold a snapshot against history as it is at its time, or as it would be after a held one."""
    is_in_order = not counted(connection, arrived.source, after=arrived.observed_at)
    step = Step(
        source=arrived.source,
        observed_at=arrived.observed_at,
        known_at=now,
        previous_at=None,
        coverage=catalog.coverage,
    )
    if not is_in_order or after is not None:
        scratch.create(connection)
        scratch.seed(connection, arrived.source, arrived.observed_at)
        step = replace(step, schema=scratch.SCHEMA)
    if after is not None:
        apply(connection, after[0], after[1], None, now, scratch.SCHEMA)
    stage(connection, catalog)
    return objection(connection, step, doubt)


def _reject(connection: Connection, held: list[Landed], arrived: Landed) -> None:
    for each in held:
        mark(connection, each, "rejected", f"the next complete snapshot, {arrived.snapshot_id}, did not agree")
