"""Decides what becomes of a landed snapshot: history, held in doubt, or, with it, an earlier one that was held."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from sqlalchemy import Connection, select

from etl.domain.catalog import Catalog
from etl.domain.snapshot import Origin
from etl.errors import ContractError, UsageError
from etl.load import scratch
from etl.load.clock import future
from etl.load.doubt import Doubt, is_bare, objection
from etl.load.history import COUNTED, Loaded, Read, apply, counted, fit, mark, step_of, take_back
from etl.load.landing import Landed, landed, landed_of
from etl.load.merge import Step
from etl.load.stage import stage_in_doubt
from etl.load.tables import raw_snapshot, snapshot


def load(
    connection: Connection, arrived: Landed, catalog: Catalog, read: Read, *, now: datetime, doubt: Doubt | None
) -> Loaded:
    """Load a snapshot, or hold it; without ``doubt`` a person has confirmed it. The caller holds the source's lock."""
    if doubt is None:
        return fit(connection, arrived, catalog, read, now=now)
    why = _objection(connection, arrived, catalog, doubt)
    moved = []
    if arrived.origin is Origin.BACKFILL:
        why = future(arrived.observed_at, now) or why
    elif catalog.coverage.is_complete:
        held = _held_before(connection, arrived)
        confirmed = _confirmed(connection, arrived, catalog, held, read, doubt) if why else []
        moved = [_confirm(connection, *each, read, now=now, by=arrived) for each in confirmed]
        why = None if confirmed else why
        if why is None:
            _reject(connection, held[: len(held) - len(confirmed)], arrived)
    if why:
        mark(connection, arrived, "held", why)
        return Loaded(status="held", reason=why)
    loaded = fit(connection, arrived, catalog, read, now=now)
    return replace(loaded, moved_at=min(filter(None, (*moved, loaded.moved_at)), default=None))


def reject(connection: Connection, refused: Landed, read: Read, *, now: datetime) -> Loaded:
    """Refuse a snapshot because a person says so: it never counts, or no longer if it did."""
    why = "rejected by a person"
    if refused.status in COUNTED:
        return take_back(connection, refused, read, reason=why, now=now)
    mark(connection, refused, "rejected", why)
    return Loaded(status="rejected", reason=why)


def require(connection: Connection, snapshot_id: int) -> Landed:
    """Return the snapshot of this number. Raises ``UsageError`` when there is none."""
    found = landed(connection, snapshot_id)
    if found is None:
        raise UsageError(f"snapshot {snapshot_id} does not exist: `etl snapshots` lists them")
    return found


def require_releasable(connection: Connection, released: Landed) -> None:
    """Raise ``UsageError`` for a snapshot that no person can bring into history, and say why."""
    failure = connection.scalar(
        select(raw_snapshot.c.failure).where(raw_snapshot.c.snapshot_id == released.snapshot_id)
    )
    if failure is not None:
        raise UsageError(f"snapshot {released.snapshot_id} is evidence of a failed run and no catalog: {failure}")
    for other in landed_of(
        connection,
        snapshot.c.source == released.source,
        snapshot.c.observed_at == released.observed_at,
        snapshot.c.status.in_((*COUNTED, "held")),
        snapshot.c.snapshot_id != released.snapshot_id,
    ):
        raise UsageError(
            f"snapshot {other.snapshot_id} has the same time and is {other.status}: "
            f"`etl snapshots reject {other.snapshot_id}` makes room for {released.snapshot_id}"
        )


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
    stage_in_doubt(connection, catalog)
    return objection(connection, step, doubt, catalog.part.former if catalog.part else None)


def _confirmed(
    connection: Connection, arrived: Landed, catalog: Catalog, held: Sequence[Landed], read: Read, doubt: Doubt
) -> list[tuple[Landed, Catalog]]:
    """Return the held snapshots that this one confirms, oldest first, with what they show.

    They are the last ones in a row with which it agrees. An empty catalog agrees with nothing, because an outage and a
    key that was revoked look alike; nor does anything agree until the oldest of them is old enough.
    """
    found: list[tuple[Landed, Catalog]] = []
    if is_bare(connection, arrived.source, catalog):
        return found
    for each in reversed(held):
        former = _readable(each, read)
        if former is None or is_bare(connection, arrived.source, former):
            break
        if _objection(connection, arrived, catalog, doubt, after=(each, former)):
            break
        found.insert(0, (each, former))
    is_due = bool(found) and arrived.observed_at - found[0][0].observed_at >= doubt.confirm_after
    return found if is_due else []


def _confirm(
    connection: Connection, held: Landed, catalog: Catalog, read: Read, *, now: datetime, by: Landed
) -> datetime | None:
    """Load a held snapshot because another one agrees with it; returns since when prices moved."""
    fitted = fit(connection, held, catalog, read, now=now)
    _tell("held snapshot confirmed", held, by=by, opened=fitted.opened, closed=fitted.closed)
    return fitted.moved_at


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
    """Return the live snapshots held before this one; about a saved one only a person decides."""
    found = landed_of(
        connection,
        snapshot.c.source == arrived.source,
        snapshot.c.status == "held",
        snapshot.c.observed_at < arrived.observed_at,
    )
    return [each for each in found if each.origin is Origin.RUN]


def _reject(connection: Connection, held: list[Landed], arrived: Landed) -> None:
    for each in held:
        mark(connection, each, "rejected", f"the complete snapshot {arrived.snapshot_id} did not agree")
        _tell("held snapshot rejected", each, by=arrived)


def _tell(event: str, held: Landed, *, by: Landed, **facts: int) -> None:
    """Say what became of a held snapshot: nobody asked for it by name."""
    structlog.get_logger().info(event, source=held.source, snapshot=held.snapshot_id, by=by.snapshot_id, **facts)
