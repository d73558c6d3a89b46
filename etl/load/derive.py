"""Derives the changes that versions make, and keeps them as they were believed: retracts what differs, then asserts.

Every assertion and every retraction has a position in one feed. Positions are dealt out under a lock that is held until
the commit: whoever has read up to one of them has missed nothing before it, and will never meet it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Table,
    Text,
    and_,
    any_,
    bindparam,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    union,
    update,
)

from etl.database.driver import Statement
from etl.domain import jsontext
from etl.load import relations
from etl.load.derived_tables import catalog_change, feed_position, price_change
from etl.load.locks import lock
from etl.load.tables import TIMESTAMP, quarantine, snapshot

CHANGES = (price_change, catalog_change)
"""The tables of derived changes."""

CHANNEL = "catalog_change"
"""What to ``LISTEN`` to for a word about every load."""

_ALWAYS = datetime.min.replace(tzinfo=UTC)
_BELIEF = ("asserted", "retracted", "known_from", "known_to")
_SQL = {table.name: (files(__package__) / "derived" / f"{table.name}.sql").read_text("utf-8") for table in CHANGES}


@dataclass(frozen=True, kw_only=True, slots=True)
class Derivation:
    """What is derived anew: the changes of these models of a source (null: of all) from ``since`` on (null: all).

    What happened later changes nothing before it. ``known_at`` is the moment that makes it known.
    """

    source: str
    known_at: datetime
    models: Sequence[str] | None = None
    since: datetime | None = None


def derive(connection: Connection, derivation: Derivation) -> None:
    """Make the believed changes those that the believed versions make, in the transaction that changed these."""
    if derivation.models is not None and not derivation.models:
        return
    lock(connection, "feed")
    values = {
        "source": derivation.source,
        "models": None if derivation.models is None else list(derivation.models),
        "since": derivation.since or _ALWAYS,
        "known_at": derivation.known_at,
    }
    for table in CHANGES:
        _reconciling(table).rows(connection, **values)


def cursor(connection: Connection) -> int:
    """How far the feed goes: its last position, 0 while it is empty."""
    [(position,)] = _CURSOR.rows(connection)
    return cast("int", position)


def notify(connection: Connection, source: str, snapshot_id: int, observed_at: datetime) -> None:
    """Tell whoever listens of a load, when it commits, and how far the feed goes then."""
    told = {
        "source": source,
        "snapshot_id": snapshot_id,
        "observed_at": observed_at.isoformat(),
        "cursor": cursor(connection),
    }
    _NOTIFY.rows(connection, told=jsontext.encode(told))


_LAST = (select(func.max(column)) for table in CHANGES for column in (table.c.asserted, table.c.retracted))
_CURSOR = Statement(select(func.greatest(0, *(each.scalar_subquery() for each in _LAST))))
# A full queue refuses the commit, and anybody who may connect can fill it: then no notification is sent.
_HAS_ROOM = func.pg_notification_queue_usage() < 0.9
_NOTIFY = Statement(select(func.pg_notify(literal(CHANNEL), bindparam("told", type_=Text))).where(_HAS_ROOM))


def beside(connection: Connection, source: str, observed_at: datetime, later_at: datetime | None) -> set[str]:
    """The models whose changes a late snapshot, or one taken back, dates otherwise, although it shows nothing of them.

    It narrows the time before a later change, or widens it where only a snapshot that could prove nothing bounded it;
    one that is taken back bounded it itself.
    And when it comes before all others, what began at ``later_at``, then the first moment, began by a change.
    """
    dated = (
        select(table.c.model_id).where(
            table.c.source == source,
            table.c.known_to.is_(None),
            table.c.changed_at > observed_at,
            or_(table.c.not_before <= observed_at, table.c.not_before.in_(_proves_nothing(source))),
        )
        for table in CHANGES
    )
    began = (
        select(table.c.model_id).where(
            table.c.source == source, table.c.known_to.is_(None), table.c.valid_from == later_at
        )
        for table in (relations.model.table, relations.endpoint.table, relations.price.table)
    )
    return set(connection.scalars(union(*dated, *began) if later_at is not None else union(*dated)))


def _proves_nothing(source: str) -> Select[Any]:
    """The moments of the snapshots from which nothing could be told missing."""
    unread = exists().where(quarantine.c.snapshot_id == snapshot.c.snapshot_id)
    return select(snapshot.c.observed_at).where(snapshot.c.source == source, or_(~snapshot.c.is_complete, unread))


def pairs(source: str) -> list[tuple[str, Select[Any], Select[Any]]]:
    """For each table of changes, what is believed of a source and what its versions make."""
    found = []
    whole = {"source": source, "models": None, "since": _ALWAYS}
    for table in CHANGES:
        names = _facts(table)
        believed = select(*(table.c[name] for name in names)).where(
            table.c.source == source, table.c.known_to.is_(None)
        )
        derived = _derived(table)
        found.append((table.name, believed, select(*(derived.c[name] for name in names)).params(whole)))
    return found


@cache
def _reconciling(table: Table) -> Statement:
    """One statement: retract what is believed and not derived, then assert what is derived and not believed."""
    derived = _derived(table)
    retracted = (
        update(table)
        .where(_is_touched(table), ~exists().where(_agree(table, table, derived)).correlate(table))
        .values(retracted=feed_position.next_value(), known_to=_KNOWN_AT)
        .returning(table.c.asserted)
        .cte("retracted")
    )
    believed = table.alias("believed")
    is_believed = exists().where(_is_touched(believed), _agree(table, believed, derived)).correlate(derived)
    # Counting the retractions makes them happen first: only then is there room for what replaces them.
    is_retracted = select(func.count()).select_from(retracted).scalar_subquery() >= 0
    fresh = (
        select(derived)
        .where(~is_believed, is_retracted)
        .order_by(derived.c.changed_at, derived.c.model_id)
        .subquery("fresh")
    )
    names = _facts(table)
    rows = select(feed_position.next_value(), *(fresh.c[name] for name in names), _KNOWN_AT)
    return Statement(insert(table).from_select(["asserted", *names, "known_from"], rows))


_SOURCE = bindparam("source", type_=Text)
_MODELS = bindparam("models", type_=ARRAY(Text))
_SINCE = bindparam("since", type_=TIMESTAMP)
_KNOWN_AT = bindparam("known_at", type_=TIMESTAMP)


def _derived(table: Table) -> CTE:
    """The changes that the versions make, of the models and since the time that are bound to it."""
    statement = text(_SQL[table.name]).bindparams(_SOURCE, _MODELS, _SINCE)
    return statement.columns(**{name: table.c[name].type for name in _facts(table)}).cte("derived")


def _facts(table: Table) -> list[str]:
    """The columns that say what changed, not what we believed of it."""
    return [name for name in table.c.keys() if name not in _BELIEF]  # noqa: SIM118  the names


def _is_touched(table: FromClause) -> ColumnElement[bool]:
    """Whether a change is believed and could be derived otherwise now."""
    is_one_of_them = or_(_MODELS.is_(None), table.c.model_id == any_(_MODELS))
    return and_(table.c.source == _SOURCE, table.c.known_to.is_(None), is_one_of_them, table.c.changed_at >= _SINCE)


def _agree(table: Table, one: FromClause, other: FromClause) -> ColumnElement[bool]:
    """Whether two changes say the same; by value, so that 1.0 is 1.00 and null is null."""
    certain = [name for name in _facts(table) if not table.c[name].nullable]
    perhaps = [name for name in _facts(table) if table.c[name].nullable]
    return and_(
        *(one.c[name] == other.c[name] for name in certain),
        *(one.c[name].is_not_distinct_from(other.c[name]) for name in perhaps),
    )
