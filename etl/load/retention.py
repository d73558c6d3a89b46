"""Prunes the logs of what was done: old slots, runs, messages, alerts and quarantined records, a batch at a time.

Never history, snapshots or landed bytes. What is still needed stays whatever its age: the last slot of a source and its
last runs, what is going on, open or not delivered, and what the last snapshot that counts set aside.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Row,
    Table,
    and_,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
)

from etl.load.alert_tables import alert, outbox
from etl.load.ledger_tables import run, slot
from etl.load.tables import quarantine, snapshot

BATCH = 5000
"""Rows of one transaction, so that no other waits long for its locks."""

PRUNED = 0
"""The page of the one row that stays of a snapshot's quarantine; real pages are numbered from 1."""

Limits = Mapping[str, datetime]
"""Names of ``KINDS`` with the moment before which their rows are old; what is not named is kept for ever."""


def count(connection: Connection, limits: Limits) -> dict[str, int]:
    """Return how many rows of each kind ``prune`` would delete."""
    found = {}
    for name in KINDS.keys() & limits.keys():
        table, is_old = KINDS[name]
        condition = is_old(limits[name])
        if name == "runs" and "slots" in limits:
            kept = exists().where(slot.c.run_id == run.c.run_id, ~_old_slot(limits["slots"]))
            condition = _old_run(limits[name], is_free=~kept)
        found[name] = connection.scalar(select(func.count()).select_from(table).where(condition)) or 0
    return found


def prune(engine: Engine, limits: Limits) -> Iterator[tuple[str, int]]:
    """Delete what is old, each batch in a transaction of its own; yield the kind and the number of rows of each."""
    for name in KINDS:
        is_more = name in limits
        while is_more:
            deleted = prune_batch(engine, name, limits[name])
            yield name, deleted
            is_more = deleted == BATCH


def prune_batch(engine: Engine, name: str, before: datetime) -> int:
    """Delete at most ``BATCH`` old rows of one kind; return how many. Rows that others hold are left for later."""
    table, is_old = KINDS[name]
    place: ColumnElement[Any] = literal_column(f"{table.fullname}.ctid")
    some = (
        select(place.label("place"))
        .where(is_old(before))
        .limit(BATCH)
        .with_for_update(of=table, skip_locked=True)
        .cte("some")
    )
    columns: Iterable[Column[Any]] = (
        (table.c.snapshot_id, table.c.source) if name == "quarantine" else table.primary_key
    )
    with engine.begin() as connection:
        gone = connection.execute(delete(table).where(place.in_(select(some.c.place))).returning(*columns)).all()
        if name == "quarantine":
            _leave_a_trace(connection, gone)
    return len(gone)


def _leave_a_trace(connection: Connection, gone: Iterable[Row[Any]]) -> None:
    """Have one row for each snapshot of which records are gone: what it did not show is then still no removal."""
    of_snapshots = {row.snapshot_id: row.source for row in gone}
    marked = select(quarantine.c.snapshot_id).where(
        quarantine.c.snapshot_id.in_(of_snapshots), quarantine.c.page == PRUNED
    )
    new = of_snapshots.keys() - set(connection.scalars(marked))
    rows = [{"snapshot_id": each, "source": of_snapshots[each]} for each in sorted(new)]
    if rows:
        connection.execute(insert(quarantine).values(page=PRUNED, pointer="", reason="pruned by [retention]"), rows)


def _old_slot(before: datetime) -> ColumnElement[bool]:
    """All but what is taken, and the last slot of a source, from which the next ones are counted."""
    due = slot.alias("due")
    last = select(func.max(due.c.due_at)).where(due.c.source == slot.c.source, due.c.due_at <= func.now())
    return and_(slot.c.due_at < before, slot.c.status != "taken", slot.c.due_at < last.scalar_subquery())


def _old_run(before: datetime, *, is_free: ColumnElement[bool] | None = None) -> ColumnElement[bool]:
    """All but what is going on, what a slot names, and the last run of each kind of caller of a source."""
    any_run = run.alias("any_run")
    last = select(func.max(any_run.c.run_id)).group_by(any_run.c.source, any_run.c.caller)
    if is_free is None:
        is_free = ~exists().where(slot.c.run_id == run.c.run_id)
    return and_(run.c.started_at < before, run.c.outcome.is_not(None), is_free, run.c.run_id.not_in(last))


def _old_message(before: datetime) -> ColumnElement[bool]:
    """What was delivered, or given up, and so waits no longer."""
    is_over = or_(outbox.c.delivered_at.is_not(None), outbox.c.given_up_at.is_not(None))
    return and_(outbox.c.created_at < before, is_over)


def _old_alert(before: datetime) -> ColumnElement[bool]:
    return alert.c.resolved_at < before


def _old_record(before: datetime) -> ColumnElement[bool]:
    """What another snapshot than the last one that counts set aside; the row that stays of it is not counted."""
    of_it, any_one = snapshot.alias("of_it"), snapshot.alias("any_one")
    counts = any_one.c.status.in_([literal_column("'loaded'"), literal_column("'unchanged'")])
    last = select(func.max(any_one.c.observed_at)).where(any_one.c.source == of_it.c.source, counts)
    is_of_it = of_it.c.snapshot_id == quarantine.c.snapshot_id
    is_old = exists().where(is_of_it, of_it.c.observed_at < before, of_it.c.observed_at < last.scalar_subquery())
    return and_(quarantine.c.page != PRUNED, is_old)


KINDS: Mapping[str, tuple[Table, Callable[[datetime], ColumnElement[bool]]]] = {
    "slots": (slot, _old_slot),
    "runs": (run, _old_run),
    "outbox": (outbox, _old_message),
    "alerts": (alert, _old_alert),
    "quarantine": (quarantine, _old_record),
}
"""What can be pruned, in the order in which it is, for a run stays as long as its slot: the table, and what is old."""
