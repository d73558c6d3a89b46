"""Proves that history follows from the landed bytes: rebuilds it beside the live one and compares every version.

The rebuilt history lies in temporary tables; snapshots are read one at a time. Bytes are read and folded without the
source's lock; only what arrived meanwhile, and the comparison, wait for it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, FromClause, Select, Table, func, insert, literal_column, select, text

from etl.errors import ContractError, OutOfReachError
from etl.load import applied, basket, derive, history, scratch
from etl.load.derive import Derivation
from etl.load.history import COUNTED, Read, apply, logged_of, next_known_at, step_of
from etl.load.landing import Landed, landed_of
from etl.load.locks import lock_source
from etl.load.merge import Moves
from etl.load.relations import HISTORY
from etl.load.scratch import SCHEMA, Window, copy_of
from etl.load.tables import quarantine, raw_snapshot, snapshot, unmapped_field

EXAMPLES = 5
"""How many differing rows of each table and side are told."""

SET_ASIDE = (quarantine, unmapped_field)

Progress = Callable[[int, int], None]


@dataclass(kw_only=True, slots=True)
class Difference:
    """Where one table differs: how many rows only the live or only the rebuilt one has, and the first of them."""

    table: str
    only_live: int
    only_rebuilt: int
    examples: list[dict[str, Any]]


@dataclass(kw_only=True, slots=True)
class Verdict:
    """What verifying one source found. ``rows`` counts the rebuilt ones by table."""

    source: str
    snapshots: int
    rows: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    readable_now: list[int] = field(default_factory=list)
    applied: Moves | None = None

    @property
    def agrees(self) -> bool:
        """Whether the rebuilt history is the live one, from the same snapshots."""
        return not (self.differences or self.unreadable or self.readable_now)


class Rebuild:
    """One source's history, folded anew in this session's temporary tables."""

    def __init__(self, connection: Connection, name: str, read: Read, progress: Progress) -> None:
        self._connection = connection
        self._name = name
        self._read = read
        self._progress = progress
        self._folded: list[Landed] = []
        self._previous_at: datetime | None = None
        self.readable: list[Landed] = []
        self.unreadable: list[tuple[Landed, str]] = []
        self.out_of_reach: OutOfReachError | None = None
        self.newly: dict[int, dict[str, Any]] = {}

    def fold_without_lock(self) -> None:
        """Fold what is there now; each snapshot in a transaction of its own, so that nobody waits for us."""
        with self._connection.begin():
            waiting = self._snapshots()
            self._begin()
        for count, landed in enumerate(waiting, 1):
            with self._connection.begin():
                self._fold(landed)
            self._progress(count, len(waiting))

    def catch_up(self) -> None:
        """Fold what arrived meanwhile, in the caller's transaction and under the lock; all anew if any came late."""
        there = self._snapshots()
        if there[: len(self._folded)] != self._folded:
            self._begin()
        for landed in there[len(self._folded) :]:
            self._fold(landed)

    def _begin(self) -> None:
        self._folded, self._previous_at, self.readable, self.unreadable, self.newly = [], None, [], [], {}
        scratch.create(self._connection, keep=True)
        for table in SET_ASIDE:
            self._connection.execute(text(f"DROP TABLE IF EXISTS pg_temp.{table.name}"))
            self._connection.execute(text(f"CREATE TEMPORARY TABLE {table.name} (LIKE core.{table.name})"))

    def _snapshots(self) -> list[Landed]:
        """The snapshots whose bytes speak: those that count, and those that could not be read when they came."""
        walked = select(raw_snapshot.c.snapshot_id).where(raw_snapshot.c.failure.is_(None))
        found = landed_of(
            self._connection,
            snapshot.c.source == self._name,
            snapshot.c.status.in_((*COUNTED, "held", "failed")),
            snapshot.c.snapshot_id.in_(walked),
        )
        # Of several with one time, the one that did not fail replaced the others; a held one says nothing yet.
        by_time = {landed.observed_at: landed for landed in sorted(found, key=lambda each: each.status != "failed")}
        return [by_time[at] for at in sorted(by_time) if by_time[at].status != "held"]

    def _fold(self, landed: Landed) -> None:
        self._folded.append(landed)
        try:
            catalog = self._read(landed)
        except ContractError as error:
            if isinstance(error, OutOfReachError):
                self.out_of_reach = error
            self.unreadable.append((landed, str(error)))
            return
        self.readable.append(landed)
        if landed.status == "failed":
            self.newly[landed.snapshot_id] = logged_of(catalog)
        step = step_of(landed, catalog, previous_at=self._previous_at, known_at=landed.observed_at)
        apply(self._connection, catalog, replace(step, schema=SCHEMA))
        history.set_aside(self._connection, landed, catalog, schema=SCHEMA)
        self._previous_at = landed.observed_at


def verify(
    connection: Connection,
    name: str,
    read: Read,
    *,
    now: Callable[[], datetime],
    is_applied: bool = False,
    progress: Progress,
) -> Verdict:
    """Rebuild one source's history and compare; with ``is_applied`` what differs becomes a correction, known from now.

    The connection must have no transaction open; it is given back with none. Raises ``OutOfReachError`` instead of
    believing a history that was rebuilt without archived bodies which are only out of reach.
    """
    rebuild = Rebuild(connection, name, read, progress)
    rebuild.fold_without_lock()
    with connection.begin():
        lock_source(connection, name)
        rebuild.catch_up()
        verdict = _compare(connection, name, rebuild)
        if is_applied and rebuild.out_of_reach is not None:
            raise rebuild.out_of_reach
        if is_applied and not verdict.agrees:
            verdict.applied = _apply(connection, name, rebuild, now())
    return verdict


def _compare(connection: Connection, name: str, rebuild: Rebuild) -> Verdict:
    lost = [(each, why) for each, why in rebuild.unreadable if each.status in COUNTED]
    verdict = Verdict(
        source=name,
        snapshots=len(rebuild.readable),
        unreadable=[f"snapshot {each.snapshot_id}: {why}" for each, why in lost],
        readable_now=[each.snapshot_id for each in rebuild.readable if each.status == "failed"],
    )
    for table, live, rebuilt in _pairs(name):
        verdict.rows[table] = connection.scalar(select(func.count()).select_from(rebuilt.subquery())) or 0
        difference = _difference(connection, table, live, rebuilt)
        if difference is not None:
            verdict.differences.append(difference)
    return verdict


def _pairs(name: str) -> Iterator[tuple[str, Select[Any], Select[Any]]]:
    """Each table with what is there and what should be, from the rebuilt history or, for changes, from the versions."""
    for relation in HISTORY:
        columns = [*relation.stage.c.keys(), "valid_from", "valid_to"]
        yield (
            relation.name,
            _rows(relation.table, columns).where(relation.table.c.source == name, relation.table.c.known_to.is_(None)),
            _rows(copy_of(relation), columns),
        )
    for table in SET_ASIDE:
        copy = _temporary(table)
        yield table.name, _rows(table, table.c.keys()).where(table.c.source == name), _rows(copy, table.c.keys())
    yield from derive.pairs(name)


def _rows(table: FromClause, columns: list[str]) -> Select[Any]:
    return select(*(table.c[name] for name in columns))


def _temporary(table: Table) -> Table:
    return scratch.COPIES[table.name]


def _difference(connection: Connection, table: str, live: Select[Any], rebuilt: Select[Any]) -> Difference | None:
    sides = {"live": live.except_(rebuilt).subquery(), "rebuilt": rebuilt.except_(live).subquery()}
    counts = {side: connection.scalar(select(func.count()).select_from(rows)) or 0 for side, rows in sides.items()}
    if not any(counts.values()):
        return None
    examples = [
        {"only": side} | dict(row)
        for side, rows in sides.items()
        for row in connection.execute(select(rows).order_by(literal_column("1")).limit(EXAMPLES)).mappings()
    ]
    return Difference(table=table, only_live=counts["live"], only_rebuilt=counts["rebuilt"], examples=examples)


def _apply(connection: Connection, name: str, rebuild: Rebuild, now: datetime) -> Moves:
    """Make the rebuilt history the believed one, as corrections: what was believed stays answerable."""
    known_at = next_known_at(connection, name, now)
    applied.forget(connection, name)
    moves = scratch.reconcile(connection, Window(source=name, since=None, until=None, known_at=known_at))
    if moves.has_moved_prices:
        basket.refresh(connection, name, None)
    for table in SET_ASIDE:
        connection.execute(table.delete().where(table.c.source == name))
        connection.execute(insert(table).from_select(table.c.keys(), _rows(_temporary(table), table.c.keys())))
    for snapshot_id, counts in rebuild.newly.items():
        history.count(connection, snapshot_id, counts, known_at)
    for landed, why in rebuild.unreadable:
        if landed.status in COUNTED:
            history.mark(connection, landed, "failed", why)
    derive.derive(connection, Derivation(source=name, known_at=known_at))
    return moves
