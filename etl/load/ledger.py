"""The ledger: which run is at which source, and what became of each due time. docs/schedule.md tells the rules.

Whoever attends to a source holds its lock for as long as the run takes, in a session of its own: the server frees it
when the process dies. So whoever gets the lock knows that a run which the ledger shows as going on is dead.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import ARRAY, Connection, Engine, Row, func, insert, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from etl.cron import Cron
from etl.errors import SupersededError
from etl.load.ledger_tables import run, slot
from etl.load.locks import held
from etl.load.tables import TIMESTAMP, source

MOST_MISSED = 10_000
"""Slots that are recorded as missed with one statement."""

NOBODY = "nothing was there to run it"


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """A run that has begun; ``due_at`` is the slot that it is for, null when somebody wanted it besides."""

    run_id: int
    source: str
    due_at: datetime | None
    started_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who begins runs: ``kind`` is ``schedule`` or ``run``, ``worker`` tells the process from others."""

    kind: str
    worker: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """Somebody asks for a run of a source: with ``is_due_only`` for a slot alone, else for one in any case.

    Without ``cron`` the source has no slots. ``why_missed`` is what is known of the slots that nobody served.
    """

    source: str
    cron: Cron | None
    caller: Caller
    is_due_only: bool
    why_missed: str = NOBODY


@contextmanager
def attending(engine: Engine, name: str, patience: float) -> Iterator[Connection | None]:
    """Hold the lock of a source's runs, on a connection that is for nothing else; null when another process has it.

    After ``patience`` seconds without a sign of life the server ends the session of a process that hangs.
    """
    with held(engine, f"run {name}", patience=patience) as connection:
        yield connection


def begin(connection: Connection, asking: Asking, now: datetime) -> Run | None:
    """Begin a run for the slot that is open, recording those before it as missed; the caller holds the lock.

    Without an open slot it is a run besides, or null when only a slot was asked for.
    """
    recover(connection, asking.source, now)
    due_at = _open_slot(connection, asking, now)
    if due_at is None and asking.is_due_only:
        return None
    begun = {"source": asking.source, "due_at": due_at, "started_at": now}
    by = {"caller": asking.caller.kind, "worker": asking.caller.worker}
    run_id = connection.scalar(insert(run).values(begun | by).returning(run.c.run_id))
    assert run_id is not None  # noqa: S101  the database deals out numbers
    if due_at is not None:
        _record(connection, asking.source, due_at, status="taken", run_id=run_id)
    return Run(run_id=run_id, source=asking.source, due_at=due_at, started_at=now)


def land(connection: Connection, run_id: int, snapshot_id: int) -> None:
    """Say what a run landed, in the transaction that lands it. Raises ``SupersededError`` when it was given up."""
    going_on = update(run).where(run.c.run_id == run_id, run.c.outcome.is_(None)).values(snapshot_id=snapshot_id)
    if connection.execute(going_on).rowcount != 1:
        raise SupersededError(f"run {run_id} was given up for dead, so what it brought is not landed: `etl slots`")


def end(connection: Connection, ended: Run, *, outcome: str, error: str | None, now: datetime) -> None:
    """Close a run with its outcome, and its slot with it, unless it was given up meanwhile."""
    closing = update(run).where(run.c.run_id == ended.run_id, run.c.outcome.is_(None))
    done = connection.execute(closing.values(outcome=outcome, error=error, ended_at=now)).rowcount
    if done and ended.due_at is not None:
        _record(connection, ended.source, ended.due_at, status="done", run_id=ended.run_id)


def abandon(
    connection: Connection,
    name: str,
    now: datetime,
    why: str,
    *,
    outcome: str = "abandoned",
    run_id: int | None = None,
) -> None:
    """Close whatever run of a source is shown as going on: by what it landed, or with this ``outcome``.

    ``stopped`` is one that somebody wanted to end: that is no failure of the source. With ``run_id`` only that run is
    closed: whoever lost the lock must not close the run of another.
    """
    for row in connection.execute(_GOING_ON, {"source": name}).all():
        if run_id in (None, row.run_id):
            _close(connection, row, now, why, outcome)


def recover(connection: Connection, name: str, now: datetime) -> None:
    """Close the run of a process that died; the caller holds the lock, so nobody is at it."""
    abandon(connection, name, now, "it was cut off")


def going_on(connection: Connection, name: str) -> Row | None:  # type: ignore[type-arg]
    """The run that is at a source, as the ledger has it: ``run_id, worker, started_at``."""
    columns = (run.c.run_id, run.c.worker, run.c.started_at)
    return connection.execute(select(*columns).where(run.c.source == name, run.c.outcome.is_(None))).one_or_none()


def latest_slot(connection: Connection, name: str, now: datetime) -> Row | None:  # type: ignore[type-arg]
    """The newest slot of a source that is due, with the worker of its run: ``due_at, status, run_id, reason, worker``.

    What a clock that was ahead wrote down of times to come is not due yet.
    """
    newest = select(slot.c.due_at, slot.c.status, slot.c.run_id, slot.c.reason, run.c.worker).join_from(
        slot, run, slot.c.run_id == run.c.run_id, isouter=True
    )
    is_due = (slot.c.source == name) & (slot.c.due_at <= now)
    return connection.execute(newest.where(is_due).order_by(slot.c.due_at.desc()).limit(1)).one_or_none()


_GOING_ON = text(
    """
    SELECT r.run_id, r.source, r.due_at, r.started_at, r.snapshot_id, c.status, c.reason
      FROM core.run r LEFT JOIN core.snapshot c ON c.snapshot_id = r.snapshot_id
     WHERE r.source = :source AND r.outcome IS NULL
       FOR UPDATE OF r
    """
)


def _close(connection: Connection, row: Row, now: datetime, why: str, outcome: str) -> None:  # type: ignore[type-arg]
    """A run that landed its snapshot did what it was for, whatever became of its process."""
    dead = Run(run_id=row.run_id, source=row.source, due_at=row.due_at, started_at=row.started_at)
    if row.snapshot_id is not None:
        end(connection, dead, outcome=row.status, error=row.reason if row.status == "failed" else None, now=now)
        return
    connection.execute(update(run).where(run.c.run_id == dead.run_id).values(outcome=outcome, error=why, ended_at=now))
    if dead.due_at is not None:
        missed = f"run {dead.run_id} was {outcome}: {why}"
        _record(connection, dead.source, dead.due_at, status="missed", run_id=dead.run_id, reason=missed)


def _open_slot(connection: Connection, asking: Asking, now: datetime) -> datetime | None:
    """The last due time, unless it is accounted for; all that came before it unnoticed are recorded as missed."""
    if asking.cron is None:
        return None
    last = latest_slot(connection, asking.source, now)
    if last is None:
        return asking.cron.latest(now)
    if last.due_at >= asking.cron.latest(now):
        # One that was abandoned, or missed before its time by a clock that was ahead, waits for another run for as
        # long as no later one is due.
        return last.due_at if last.status == "missed" else None
    is_ours = (source.c.source == asking.source) & (source.c.scheduled_from <= now)
    since = connection.scalar(select(source.c.scheduled_from).where(is_ours))
    return _last_recorded(connection, asking, asking.cron.due(max(filter(None, (last.due_at, since))), now))


def _last_recorded(connection: Connection, asking: Asking, due: Iterator[datetime]) -> datetime | None:
    """The last of these due times; all before it are recorded as missed, some at a time: of years they are millions."""
    columns = ["source", "due_at", "status", "reason"]
    last = next(due, None)
    while last is not None and (some := list(islice(due, MOST_MISSED))):
        missed = literal([last, *some[:-1]], ARRAY(TIMESTAMP))
        row = select(literal(asking.source), func.unnest(missed), literal("missed"), literal(asking.why_missed))
        connection.execute(insert(slot).from_select(columns, row))
        last = some[-1]
    return last


def _record(
    connection: Connection, name: str, due_at: datetime, *, status: str, run_id: int, reason: str | None = None
) -> None:
    """What became of a slot, whatever was known of it before."""
    adding = upsert(slot).values(source=name, due_at=due_at, status=status, run_id=run_id, reason=reason)
    became = {column: literal(value) for column, value in (("status", status), ("run_id", run_id), ("reason", reason))}
    connection.execute(adding.on_conflict_do_update(index_elements=["source", "due_at"], set_=became))
