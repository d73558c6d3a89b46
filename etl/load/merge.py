"""The one step of history: what a staged snapshot, coming after all others, makes of the open versions.

Set-based, scoped to its source, compared by value. ``IS DISTINCT FROM`` knows that 1.0 is 1.00 and null is null.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Connection,
    CursorResult,
    FromClause,
    Text,
    and_,
    any_,
    cast,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    true,
    update,
)

from etl.domain.catalog import Coverage
from etl.load import relations
from etl.load.relations import Relation, stage_scope


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One snapshot's place in history: when it was observed, when we came to know it, what came before it.

    ``schema`` holds the relations: the believed history, or a scratch copy of a part of it. ``models`` are those that
    the staged part of a snapshot speaks of; null: all.
    """

    source: str
    observed_at: datetime
    known_at: datetime
    previous_at: datetime | None
    coverage: Coverage
    schema: str = "core"
    models: frozenset[str] | None = None

    @property
    def options(self) -> dict[str, Any]:
        """How statements written for ``core`` are run: in this schema."""
        return {"schema_translate_map": {"core": self.schema}}


@dataclass(slots=True)
class Moves:
    """How many versions a load opened and closed, by relation, and the models of which any says something else now."""

    opened: dict[str, int] = field(default_factory=dict)
    closed: dict[str, int] = field(default_factory=dict)
    models: set[str] = field(default_factory=set)

    COUNTED = ("model", "endpoint", "price")

    def add(self, counts: dict[str, int], relation: Relation, touched: CursorResult[Any]) -> None:
        """Count the versions that a statement touched; it returns the first column of their keys."""
        keys = touched.scalars().all()
        counts[relation.name] = len(keys)
        if relation.key[0] == "model_id":
            self.models.update(keys)

    def total(self, moves: dict[str, int]) -> int:
        """Versions of models, endpoints and prices: what the log of snapshots counts."""
        return sum(moves.get(name, 0) for name in self.COUNTED)


def merge(connection: Connection, spoken: list[Relation], step: Step) -> Moves:
    """Apply the staged snapshot to the open versions of every relation of which it speaks."""
    moves = Moves()
    for relation in spoken:
        _merge(connection, relation, step, may_end(relation, step), moves)
    # A part follows a plain snapshot and belongs to one: there was and is nothing that could not be seen.
    if step.models is None:
        _stage_unseen(connection, step)
        _merge(connection, relations.unseen, step, true(), moves)
    return moves


def _merge(connection: Connection, relation: Relation, step: Step, ends: ColumnElement[bool], moves: Moves) -> None:
    old, new = relation.table, relation.stage
    same_key = same(old, new, relation.key)
    differs = or_(*(old.c[name].is_distinct_from(new.c[name]) for name in relation.values))
    is_shown = new.c[relation.key[0]].is_not(None)
    ending = (
        select(old.c.version_id)
        .select_from(old.outerjoin(new, same_key))
        .where(is_concerned(relation, step), or_(and_(~is_shown, ends), and_(is_shown, differs)))
        .subquery("ending")
    )
    closed = connection.execute(
        update(old)
        .where(old.c.version_id == ending.c.version_id)
        .values(valid_to=step.observed_at, end_known_from=step.known_at)
        .returning(old.c[relation.key[0]]),
        execution_options=step.options,
    )
    moves.add(moves.closed, relation, closed)
    beginning = select(literal(step.source), *new.c, literal(step.observed_at), literal(step.known_at)).where(
        ~exists().where(is_concerned(relation, step), same_key).correlate(new)
    )
    columns = ["source", *new.c.keys(), "valid_from", "known_from"]
    versions = insert(old).from_select(columns, beginning).returning(old.c[relation.key[0]])
    moves.add(moves.opened, relation, connection.execute(versions, execution_options=step.options))


def same(one: FromClause, other: FromClause, columns: tuple[str, ...]) -> ColumnElement[bool]:
    """Whether two rows agree in columns that are never null."""
    return and_(*(one.c[name] == other.c[name] for name in columns))


def is_open(table: FromClause, source: str) -> ColumnElement[bool]:
    """Whether a version holds now, as believed now."""
    return and_(table.c.source == source, table.c.valid_to.is_(None), table.c.known_to.is_(None))


def is_concerned(relation: Relation, step: Step) -> ColumnElement[bool]:
    """Whether the step speaks of an open version."""
    old = relation.table
    if step.models is None or relation.key[0] != "model_id":
        return is_open(old, step.source)
    return and_(is_open(old, step.source), old.c.model_id == any_(cast(literal(sorted(step.models)), ARRAY(Text))))


def may_end(relation: Relation, step: Step) -> ColumnElement[bool]:
    """Whether absence from this snapshot proves that a row of the relation is gone (contract, rules 3 and 4)."""
    old = relation.table
    matches = (or_(stage_scope.c[name].is_(None), stage_scope.c[name] == old.c[name]) for name in relation.scope)
    unread = select(literal(1)).select_from(stage_scope).where(true(), *matches).correlate(old)
    return and_(_is_covered(relation, step), ~unread.exists())


def _is_covered(relation: Relation, step: Step) -> ColumnElement[bool]:
    """Whether the snapshot lists everything of the row's provider; a model, when it does so for all its providers."""
    is_complete = cast(literal(step.coverage.is_complete), Boolean)
    if step.coverage.providers is None:
        return is_complete
    covered = any_(cast(literal(sorted(step.coverage.providers)), ARRAY(Text)))
    old = relation.table
    if "provider" in relation.key:
        return old.c.provider == covered
    if relation is not relations.model:
        return is_complete
    route = relations.endpoint.table.alias("route")
    routes = select(func.bool_and(route.c.provider == covered)).where(
        is_open(route, step.source), route.c.model_id == old.c.model_id
    )
    return func.coalesce(routes.correlate(old).scalar_subquery(), is_complete)


def _stage_unseen(connection: Connection, step: Step) -> None:
    """Stage the prices that stay in force although this snapshot does not show them, with their last sighting."""
    price, shown, unseen = relations.price, relations.price.stage, relations.unseen
    former = unseen.table
    last_seen = func.coalesce(former.c.last_seen_at, literal(step.previous_at or step.observed_at))
    carried = (
        select(*(price.table.c[name] for name in price.key), last_seen)
        .select_from(
            price.table.outerjoin(shown, same(price.table, shown, price.key)).outerjoin(
                former, and_(is_open(former, step.source), same(former, price.table, price.key))
            )
        )
        .where(is_open(price.table, step.source), shown.c.model_id.is_(null()))
    )
    connection.execute(
        insert(unseen.stage).from_select([*unseen.key, "last_seen_at"], carried), execution_options=step.options
    )
