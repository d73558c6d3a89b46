"""Proves that history follows from the landed bytes: rebuilds it beside the live one and compares every version.

The rebuilt history lies in temporary tables; snapshots are read one at a time. Bytes are read and folded without the
source's lock; only what arrived meanwhile, and the comparison, wait for it.
"""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, text

from etl.errors import ContractError, DamagedError, OutOfReachError
from etl.load import applied, basket, derive, history, scratch
from etl.load.comparing import SET_ASIDE, Verdict, compare, pairs, rows
from etl.load.derive import Derivation
from etl.load.history import COUNTED, Read, apply, logged_of, next_known_at, step_of
from etl.load.landing import Landed
from etl.load.locks import lock_source
from etl.load.merge import Moves
from etl.load.scratch import SCHEMA, Window
from etl.load.speaking import speaking

if TYPE_CHECKING:
    from etl.domain.records import Records

Progress = Callable[[int, int], None]

WHOLE = 20
"""One of so many snapshots is read and compared whole; the others where their bytes differ from the one before."""


class Rebuild:
    """One source's history, folded anew in this session's temporary tables."""

    def __init__(self, connection: Connection, name: str, read: Read, progress: Progress) -> None:
        self._connection = connection
        self._name = name
        self._read = read
        self._progress = progress
        self._folded: list[Landed] = []
        self._previous_at: datetime | None = None
        self._former: tuple[str, Records | None] | None = None
        self.readable: list[Landed] = []
        self.unreadable: list[tuple[Landed, str]] = []
        self.lost: ContractError | None = None
        self.newly: dict[int, dict[str, Any]] = {}

    def fold_without_lock(self) -> None:
        """Fold what is there now; each snapshot in a transaction of its own, so that nobody waits for us."""
        with self._connection.begin():
            waiting = speaking(self._connection, self._name)
            self._begin()
        for count, landed in enumerate(waiting, 1):
            with self._connection.begin():
                self._fold(landed, is_whole=landed is waiting[-1])
            self._progress(count, len(waiting))

    def catch_up(self) -> None:
        """Fold what arrived meanwhile, in the caller's transaction and under the lock; all anew if any came late."""
        there = speaking(self._connection, self._name)
        if there[: len(self._folded)] != self._folded:
            self._begin()
        for landed in there[len(self._folded) :]:
            self._fold(landed, is_whole=True)

    def _begin(self) -> None:
        self._folded, self._previous_at, self._former = [], None, None
        self.readable, self.unreadable, self.newly = [], [], {}
        scratch.create(self._connection, keep=True)
        for table in SET_ASIDE:
            self._connection.execute(text(f"DROP TABLE IF EXISTS pg_temp.{table.name}"))
            self._connection.execute(text(f"CREATE TEMPORARY TABLE {table.name} (LIKE core.{table.name})"))

    def _fold(self, landed: Landed, *, is_whole: bool) -> None:
        """Fold one more snapshot; every so often it is read whole, so that no part can stand for what it is not."""
        self._folded.append(landed)
        kind, records = self._former or (landed.kind, None)
        is_whole = is_whole or kind != landed.kind or len(self._folded) % WHOLE == 0
        try:
            catalog = self._read(landed, None if is_whole else records)
        except ContractError as error:
            if isinstance(error, OutOfReachError | DamagedError):
                self.lost = self.lost or type(error)(f"snapshot {landed.snapshot_id}: {error}")
            self.unreadable.append((landed, str(error)))
            return
        self.readable.append(landed)
        if landed.status == "failed":
            self.newly[landed.snapshot_id] = logged_of(catalog)
        step = step_of(landed, catalog, previous_at=self._previous_at, known_at=landed.observed_at)
        apply(self._connection, catalog, replace(step, schema=SCHEMA))
        history.set_aside(self._connection, landed, catalog, schema=SCHEMA)
        self._previous_at, self._former = landed.observed_at, (landed.kind, catalog.records)


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

    The connection must have no transaction open; it is given back with none. Raises ``OutOfReachError`` or
    ``DamagedError`` instead of believing a history that was rebuilt without bytes that can be brought back.
    """
    rebuild = Rebuild(connection, name, read, progress)
    rebuild.fold_without_lock()
    with connection.begin():
        lock_source(connection, name)
        rebuild.catch_up()
        verdict = _compare(connection, name, rebuild)
        if is_applied and rebuild.lost is not None:
            raise rebuild.lost
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
    compare(connection, verdict, itertools.chain(pairs(name, SCHEMA), derive.pairs(name)))
    return verdict


def _apply(connection: Connection, name: str, rebuild: Rebuild, now: datetime) -> Moves:
    """Make the rebuilt history the believed one, as corrections: what was believed stays answerable."""
    known_at = next_known_at(connection, name, now)
    applied.forget(connection, name)
    moves = scratch.reconcile(connection, Window(source=name, since=None, until=None, known_at=known_at))
    if moves.has_moved_prices:
        basket.refresh(connection, name, None)
    for table in SET_ASIDE:
        connection.execute(table.delete().where(table.c.source == name))
        connection.execute(insert(table).from_select(table.c.keys(), rows(scratch.COPIES[table.name], table.c.keys())))
    for snapshot_id, counts in rebuild.newly.items():
        history.count(connection, snapshot_id, counts, known_at)
    for landed, why in rebuild.unreadable:
        if landed.status in COUNTED:
            history.mark(connection, landed, "failed", why)
    derive.derive(connection, Derivation(source=name, known_at=known_at))
    return moves
