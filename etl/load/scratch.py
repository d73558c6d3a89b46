"""A scratch copy of a part of history, in which snapshots are folded anew and then made the believed history.

The copy lives in temporary tables shaped like those of ``core``: whatever kills the session leaves nothing behind.
Making it believed touches only rows that differ: what was believed is superseded, never overwritten.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    MetaData,
    Table,
    and_,
    case,
    exists,
    insert,
    literal,
    or_,
    select,
    update,
)

from etl.database.driver import run_script
from etl.load.merge import Moves, is_open, same
from etl.load.relations import HISTORY, Relation
from etl.load.tables import quarantine, unmapped_field

SCHEMA = "pg_temp"


def create(connection: Connection, *, keep: bool = False) -> None:
    """Make the scratch relations anew and empty; they last as long as the transaction, or with ``keep`` the session."""
    end = "PRESERVE ROWS" if keep else "DROP"
    script = "".join(
        f"DROP TABLE IF EXISTS pg_temp.{relation.name};"
        f"CREATE TEMPORARY TABLE {relation.name} (LIKE core.{relation.name} INCLUDING IDENTITY"
        f" INCLUDING CONSTRAINTS INCLUDING INDEXES) ON COMMIT {end};"
        for relation in HISTORY
    )
    run_script(connection, script)


def seed(connection: Connection, source: str, before: datetime | None) -> None:
    """Copy the state of a source just before a moment (null: the state now), as open versions."""
    for relation in HISTORY:
        live, copy = relation.table, copy_of(relation)
        columns = ["source", *relation.stage.c.keys(), "valid_from", "known_from"]
        held = is_open(live, source) if before is None else _held_before(live, source, before)
        connection.execute(insert(copy).from_select(columns, select(*(live.c[name] for name in columns)).where(held)))


def has_converged(connection: Connection, source: str, at: datetime) -> bool:
    """Whether the scratch state equals what is believed to have held from a moment on."""
    for relation in HISTORY:
        names = relation.stage.c.keys()
        live, copy = relation.table, copy_of(relation)
        believed = select(*(live.c[name] for name in names)).where(_held_at(live, source, at))
        folded = select(*(copy.c[name] for name in names)).where(copy.c.valid_to.is_(None))
        differs = or_(exists(believed.except_(folded)), exists(folded.except_(believed)))
        if connection.scalar(select(differs)):
            return False
    return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """The part of a source's history that the scratch versions replace; a null bound is open.

    ``known_at`` is the moment of the correction on the second clock.
    """

    source: str
    since: datetime | None
    until: datetime | None
    known_at: datetime


def reconcile(connection: Connection, window: Window) -> Moves:
    """Make the scratch versions the believed ones within the window, bounds included.

    A version that still holds at the end of the window goes on as the believed one of its key does: the states agree
    there.
    """
    moves = Moves()
    for relation in HISTORY:
        if window.until is not None:
            _extend(connection, relation, window, window.until)
        moves.add(moves.closed, relation, _supersede(connection, relation, window))
        moves.add(moves.opened, relation, _believe(connection, relation, window))
    return moves


def _extend(connection: Connection, relation: Relation, window: Window, until: datetime) -> None:
    live, copy = relation.table, copy_of(relation)
    connection.execute(
        update(copy)
        .where(
            copy.c.valid_to.is_(None),
            same(copy, live, relation.key),
            _held_at(live, window.source, until),
            live.c.valid_to.is_not(None),
        )
        .values(valid_to=live.c.valid_to, end_known_from=window.known_at)
    )


def _supersede(connection: Connection, relation: Relation, window: Window) -> Sequence[str]:
    live, copy = relation.table, copy_of(relation)
    is_confirmed = exists().where(_is_same_version(relation, live, copy)).correlate(live)
    touched = [live.c.source == window.source, live.c.known_to.is_(None)]
    if window.until is not None:
        touched.append(live.c.valid_from <= window.until)
    if window.since is not None:
        touched.append(or_(live.c.valid_to.is_(None), live.c.valid_to >= window.since))
    statement = update(live).where(*touched, ~is_confirmed).values(known_to=window.known_at)
    return connection.execute(statement.returning(live.c[relation.key[0]])).scalars().all()


def _believe(connection: Connection, relation: Relation, window: Window) -> Sequence[str]:
    live, copy = relation.table, copy_of(relation)
    names = ["source", *relation.stage.c.keys(), "valid_from", "valid_to"]
    is_there = (
        exists()
        .where(
            live.c.source == window.source,
            live.c.known_to.is_(None),
            same(live, copy, relation.key),
            live.c.valid_from == copy.c.valid_from,
        )
        .correlate(copy)
    )
    end_known = case((copy.c.valid_to.is_not(None), literal(window.known_at)))
    versions = select(*(copy.c[name] for name in names), literal(window.known_at), end_known).where(~is_there)
    statement = insert(live).from_select([*names, "known_from", "end_known_from"], versions)
    return connection.execute(statement.returning(live.c[relation.key[0]])).scalars().all()


def _is_same_version(relation: Relation, one: FromClause, other: FromClause) -> ColumnElement[bool]:
    """Whether two versions say the same of the same key during the same time."""
    return and_(
        same(one, other, relation.key),
        one.c.valid_from == other.c.valid_from,
        one.c.valid_to.is_not_distinct_from(other.c.valid_to),
        *(one.c[name].is_not_distinct_from(other.c[name]) for name in relation.values),
    )


def _held_before(live: FromClause, source: str, before: datetime) -> ColumnElement[bool]:
    return and_(
        live.c.source == source,
        live.c.known_to.is_(None),
        live.c.valid_from < before,
        or_(live.c.valid_to.is_(None), live.c.valid_to >= before),
    )


def _held_at(live: FromClause, source: str, at: datetime) -> ColumnElement[bool]:
    return and_(
        live.c.source == source,
        live.c.known_to.is_(None),
        live.c.valid_from <= at,
        or_(live.c.valid_to.is_(None), live.c.valid_to > at),
    )


COPIES = {
    table.name: table.to_metadata(MetaData(), schema=SCHEMA)
    for table in (*(relation.table for relation in HISTORY), quarantine, unmapped_field)
}
"""The tables of ``core`` as they stand in the scratch schema."""


def copy_of(relation: Relation) -> Table:
    """The scratch copy of a relation's table."""
    return COPIES[relation.name]
