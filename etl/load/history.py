"""Fits one landed snapshot into history, wherever its time lies, in the caller's transaction: all of it or nothing.

In order of time it is merged into the open versions. A late one is fitted between its neighbours: the state before it
is copied aside, it and the snapshots after it are folded anew from their landed bytes until the states agree again,
and what differs becomes the believed history.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Protocol, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    update,
)

from etl.database.driver import Statement
from etl.domain.catalog import Catalog
from etl.domain.records import Records
from etl.domain.snapshot import storable
from etl.errors import ContractError
from etl.load import applied, scratch
from etl.load.derive import Derivation, beside, derive, notify
from etl.load.landing import Landed, landed_of
from etl.load.locks import lock_source
from etl.load.merge import Moves, Step, merge
from etl.load.scratch import Window
from etl.load.stage import staged
from etl.load.tables import TIMESTAMP, quarantine, snapshot, source, unmapped_field

COUNTED = ("loaded", "unchanged")
"""The states of the snapshots that history is made of."""


class Read(Protocol):
    """Reads the landed bytes of a snapshot anew. Raises ``ContractError``."""

    def __call__(self, landed: Landed, former: Records | None = None) -> Catalog:
        """What it says; ``former`` are the records of the one before it: then perhaps only what differs from these."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """What became of one snapshot. ``moved_at`` is the moment from which on prices are others now; null when none are.

    The caller then has the basket of the price index worked out anew, once for all that it loads in a transaction.
    """

    status: str
    reason: str | None = None
    opened: int = 0
    closed: int = 0
    quarantined: int = 0
    unmapped: int = 0
    moved_at: datetime | None = None


def fit(connection: Connection, landed: Landed, catalog: Catalog, read: Read, *, now: datetime) -> Loaded:
    """Make a snapshot part of history and log it. The caller holds the lock of the source."""
    known_at = next_known_at(connection, landed.source, now)
    [(previous_at, is_late)] = _NEIGHBOURS.rows(connection, source_=landed.source, at=landed.observed_at)
    step = step_of(landed, catalog, previous_at=previous_at, known_at=known_at)
    later = counted(connection, landed.source, after=landed.observed_at) if is_late else []
    moves = _refit(connection, catalog, step, later, read) if later else apply(connection, catalog, step)
    if later:
        applied.forget(connection, landed.source)
    else:
        applied.keep(connection, landed, catalog)
    set_aside(connection, landed, catalog)
    loaded = _log(connection, landed, catalog, moves, known_at)
    _derive(connection, step, moves, later)
    notify(connection, landed.source, landed.snapshot_id, landed.observed_at)
    return loaded


def take_back(connection: Connection, landed: Landed, read: Read, *, reason: str, now: datetime) -> Loaded:
    """Make history what it would be without a snapshot that counts, as a correction. The caller holds the lock.

    It becomes ``rejected``: its bytes stay, and what was known before stays answerable.
    """
    known_at = next_known_at(connection, landed.source, now)
    [(previous_at, _)] = _NEIGHBOURS.rows(connection, source_=landed.source, at=landed.observed_at)
    nothing = Catalog()
    step = step_of(landed, nothing, previous_at=previous_at, known_at=known_at)
    later = counted(connection, landed.source, after=landed.observed_at)
    moves = _refit(connection, None, step, later, read)
    applied.forget(connection, landed.source)
    set_aside(connection, landed, nothing)
    mark(connection, landed, "rejected", reason)
    _derive(connection, step, moves, later)
    notify(connection, landed.source, landed.snapshot_id, landed.observed_at)
    return Loaded(
        status="rejected",
        reason=reason,
        opened=moves.total(moves.opened),
        closed=moves.total(moves.closed),
        moved_at=landed.observed_at if moves.has_moved_prices else None,
    )


def rederive(connection: Connection, now: datetime) -> None:
    """Derive the changes of all sources anew, as this version of the program does, in the caller's transaction."""
    names = connection.scalars(select(source.c.source).order_by(source.c.source)).all()
    for name in names:
        lock_source(connection, name)
    for name in names:
        derive(connection, Derivation(source=name, known_at=next_known_at(connection, name, now)))


def _derive(connection: Connection, step: Step, moves: Moves, later: list[Landed]) -> None:
    """Derive the changes that the load touched; the first snapshot of a source makes none."""
    models = moves.models
    if later:
        is_first = step.previous_at is None
        models |= beside(connection, step.source, step.observed_at, later[0].observed_at if is_first else None)
    elif step.previous_at is None:
        return
    touched = Derivation(source=step.source, models=sorted(models), since=step.observed_at, known_at=step.known_at)
    derive(connection, touched)


def step_of(landed: Landed, catalog: Catalog, *, previous_at: datetime | None, known_at: datetime) -> Step:
    """The place that a snapshot takes in the believed history."""
    return Step(
        source=landed.source,
        observed_at=landed.observed_at,
        known_at=known_at,
        previous_at=previous_at,
        coverage=catalog.coverage,
        models=catalog.part.models if catalog.part else None,
    )


def apply(connection: Connection, catalog: Catalog, step: Step) -> Moves:
    """Merge a snapshot that comes after all others into the open versions of the step's schema."""
    if catalog.part and not catalog.part.models and catalog.providers is None and catalog.authors is None:
        return Moves()
    return merge(connection, staged(connection, catalog), step)


def counted(connection: Connection, name: str, *, after: datetime | None = None) -> list[Landed]:
    """The snapshots that history is made of, in order of time."""
    conditions = [snapshot.c.source == name, snapshot.c.status.in_(COUNTED)]
    if after is not None:
        conditions.append(snapshot.c.observed_at > after)
    return landed_of(connection, *conditions)


def mark(connection: Connection, landed: Landed, status: str, reason: str) -> None:
    """Log a snapshot that is not part of history, or no longer: its bytes stay, its attempts are forgotten."""
    is_it = snapshot.c.snapshot_id == landed.snapshot_id
    outcome = {"status": status, "reason": storable(reason), "opened": None, "closed": None, "known_at": None}
    connection.execute(update(snapshot).where(is_it).values(outcome | {"attempts": 0}))


def logged(connection: Connection, landed: Landed) -> Loaded:
    """What the log says has become of a snapshot."""
    columns = (snapshot.c.status, snapshot.c.reason)
    status, reason = connection.execute(select(*columns).where(snapshot.c.snapshot_id == landed.snapshot_id)).one()
    return Loaded(status=status, reason=reason)


def next_known_at(connection: Connection, name: str, now: datetime) -> datetime:
    """The moment of a load on the second clock: now, yet later than any before it, whatever the clocks say."""
    [(known_at,)] = _NEXT_KNOWN_AT.rows(connection, source_=name, now=now)
    return cast("datetime", known_at)


_NEXT_KNOWN_AT = Statement(
    update(source)
    .where(source.c.source == bindparam("source_", type_=Text))
    .values(known_at=func.greatest(bindparam("now", type_=TIMESTAMP), source.c.known_at + timedelta(microseconds=1)))
    .returning(source.c.known_at)
)


def set_aside(connection: Connection, landed: Landed, catalog: Catalog, schema: str = "core") -> None:
    """Keep what could not be read or mapped, replacing what an earlier reading of the same bytes had kept."""
    of_snapshot = {"snapshot_id": landed.snapshot_id, "source": landed.source}
    unread = [
        of_snapshot
        | {"page": each.page, "pointer": each.pointer, "reason": each.reason, "record": each.record}
        | {"count": each.count}
        for each in catalog.quarantined
    ]
    unmapped = [
        of_snapshot | {"field": each.field, "count": each.count, "example": each.example} for each in catalog.unmapped
    ]
    for table, rows in ((quarantine, unread), (unmapped_field, unmapped)):
        _forgetting(table, schema).rows(connection, snapshot_id_=landed.snapshot_id)
        if rows:
            options = {"schema_translate_map": {"core": schema}}
            connection.execute(insert(table), rows, execution_options=options)


@cache
def _forgetting(table: Table, schema: str) -> Statement:
    return Statement(delete(table).where(table.c.snapshot_id == bindparam("snapshot_id_", type_=BigInteger)), schema)


def logged_of(catalog: Catalog) -> dict[str, Any]:
    """What the log says of a catalog, whatever it changed."""
    return {
        "reason": catalog.coverage.reason,
        "is_complete": catalog.coverage.is_complete,
        "covered": None if catalog.coverage.providers is None else sorted(catalog.coverage.providers),
        **catalog.counts,
        "decimals": catalog.decimals,
    }


def count(connection: Connection, snapshot_id: int, counts: dict[str, Any], known_at: datetime) -> None:
    """Log that a snapshot which could not be read when it came is part of history now."""
    values = counts | {"status": "loaded", "opened": 0, "closed": 0, "known_at": known_at}
    connection.execute(update(snapshot).where(snapshot.c.snapshot_id == snapshot_id).values(**values))


def _refit(connection: Connection, catalog: Catalog | None, step: Step, later: list[Landed], read: Read) -> Moves:
    """Fold a late snapshot and those after it anew, as far as it makes a difference; None: those after it alone."""
    scratch.create(connection)
    scratch.seed(connection, step.source, step.observed_at)
    previous_at, until = step.previous_at, None
    if catalog is not None:
        apply(connection, catalog, replace(step, schema=scratch.SCHEMA))
        previous_at = step.observed_at
    for neighbour in later:
        try:
            again = read(neighbour)
        except ContractError as error:
            raise ContractError(f"snapshot {neighbour.snapshot_id} beside it: {error}") from None
        refolded = step_of(neighbour, again, previous_at=previous_at, known_at=step.known_at)
        apply(connection, again, replace(refolded, schema=scratch.SCHEMA))
        if scratch.has_converged(connection, step.source, neighbour.observed_at):
            until = neighbour.observed_at
            break
        previous_at = neighbour.observed_at
    window = Window(source=step.source, since=step.observed_at, until=until, known_at=step.known_at)
    return scratch.reconcile(connection, window)


def _counting(*conditions: ColumnElement[bool]) -> Select[Any]:
    """The times of the snapshots that history is made of."""
    counts = snapshot.c.status.in_([literal_column(f"'{status}'") for status in COUNTED])
    return select(snapshot.c.observed_at).where(snapshot.c.source == _SOURCE, counts, *conditions)


_SOURCE = bindparam("source_", type_=Text)
_AT = bindparam("at", type_=TIMESTAMP)
_BEFORE = _counting(snapshot.c.observed_at < _AT).order_by(snapshot.c.observed_at.desc()).limit(1)
_NEIGHBOURS = Statement(select(_BEFORE.scalar_subquery(), exists(_counting(snapshot.c.observed_at > _AT))))
"""The last observation of the source before a moment, and whether there is any after it."""


def _log(connection: Connection, landed: Landed, catalog: Catalog, moves: Moves, known_at: datetime) -> Loaded:
    opened, closed = moves.total(moves.opened), moves.total(moves.closed)
    status = "loaded" if opened or closed else "unchanged"
    outcome = {"status": status, "opened": opened, "closed": closed, "known_at": known_at}
    _LOG.rows(connection, snapshot_id_=landed.snapshot_id, **logged_of(catalog), **outcome)
    return Loaded(
        status=status,
        reason=catalog.coverage.reason,
        opened=opened,
        closed=closed,
        quarantined=sum(each.count for each in catalog.quarantined),
        unmapped=len(catalog.unmapped),
        moved_at=landed.observed_at if moves.has_moved_prices else None,
    )


_LOGGED = ("reason", "is_complete", "covered", "models", "endpoints", "prices", "decimals")
_OUTCOME = ("status", "opened", "closed", "known_at")
_LOG = Statement(
    update(snapshot)
    .where(snapshot.c.snapshot_id == bindparam("snapshot_id_", type_=BigInteger))
    .values({name: bindparam(name, type_=snapshot.c[name].type) for name in (*_LOGGED, *_OUTCOME)})
)
