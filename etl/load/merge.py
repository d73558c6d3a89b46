"""The one step of history: what a staged snapshot, coming after all others, makes of the open versions.

Set-based, scoped to its source, compared by value. ``IS DISTINCT FROM`` knows that 1.0 is 1.00 and null is null.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    CTE,
    Boolean,
    ColumnElement,
    Connection,
    FromClause,
    Text,
    and_,
    any_,
    bindparam,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
    update,
)

from etl.database.driver import Statement
from etl.domain.catalog import Coverage
from etl.load import relations
from etl.load.relations import Relation, stage_scope
from etl.load.tables import TIMESTAMP

SOURCE = bindparam("source", type_=Text)
OBSERVED_AT = bindparam("observed_at", type_=TIMESTAMP)
_KNOWN_AT = bindparam("known_at", type_=TIMESTAMP)


class Way(NamedTuple):
    """Which statements a step takes: where the relations are, and what kind of snapshot is staged.

    ``by_provider``: each provider's rows are vouched for by themselves. ``is_part``: it speaks of some models only.
    """

    schema: str
    by_provider: bool
    is_part: bool


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
    def way(self) -> Way:
        """Which statements make it."""
        return Way(self.schema, self.coverage.providers is not None, self.models is not None)

    @property
    def values(self) -> dict[str, Any]:
        """The values of their parameters."""
        return {
            "source": self.source,
            "observed_at": self.observed_at,
            "known_at": self.known_at,
            "last_seen_at": self.previous_at or self.observed_at,
            "is_complete": self.coverage.is_complete,
            "providers": sorted(self.coverage.providers or ()),
            "models": sorted(self.models or ()),
        }


@dataclass(slots=True)
class Moves:
    """How many versions a load opened and closed, by relation, and the models of which any says something else now."""

    opened: dict[str, int] = field(default_factory=dict)
    closed: dict[str, int] = field(default_factory=dict)
    models: set[str] = field(default_factory=set)

    COUNTED = ("model", "endpoint", "price")

    def add(self, counts: dict[str, int], relation: Relation, keys: Sequence[str]) -> None:
        """Count the versions that a statement touched; ``keys`` are the first columns of their keys."""
        counts[relation.name] = len(keys)
        if relation.key[0] == "model_id":
            self.models.update(keys)

    @property
    def has_moved_prices(self) -> bool:
        """Whether any price is another one now."""
        return bool(self.opened.get("price") or self.closed.get("price"))

    def total(self, moves: dict[str, int]) -> int:
        """Versions of models, endpoints and prices: what the log of snapshots counts."""
        return sum(moves.get(name, 0) for name in self.COUNTED)


def merge(connection: Connection, spoken: list[Relation], step: Step) -> Moves:
    """Apply the staged snapshot to the open versions of every relation of which it speaks."""
    moves = Moves()
    for relation in spoken:
        _merge(connection, relation, step, moves)
    # A part follows a plain snapshot and belongs to one: there was and is nothing that could not be seen.
    # Nor is there anything before the first snapshot.
    if step.models is None and step.previous_at is not None:
        _unseen(step.schema).rows(connection, **step.values)
        _merge(connection, relations.unseen, step, moves)
    return moves


def _merge(connection: Connection, relation: Relation, step: Step, moves: Moves) -> None:
    """End and begin versions of one relation."""
    touched = _stepping(relation, step.way).rows(connection, **step.values)
    moves.add(moves.opened, relation, [key for was_opened, key in touched if was_opened])
    moves.add(moves.closed, relation, [key for was_opened, key in touched if not was_opened])


@cache
def _stepping(relation: Relation, way: Way) -> Statement:
    """Ends the open versions that the stage shows otherwise or proves gone, and begins those that it shows anew.

    Returns whether each was begun, and the first column of its key.
    """
    old, key = relation.table, relation.key[0]
    diff = _difference(relation, way)
    ends = true() if relation is relations.unseen else may_end(relation, way)
    closed = (
        update(old)
        .where(old.c.version_id == diff.c.version_id, or_(diff.c[key].is_not(None), ends))
        .values(valid_to=OBSERVED_AT, end_known_from=_KNOWN_AT)
        .returning(old.c[key].label("key"))
        .cte("closed")
    )
    # Counting what ended makes that happen first: only then is there room for what begins.
    is_closed_first = select(func.count()).select_from(closed).scalar_subquery() >= 0
    columns = ["source", *relation.stage.c.keys(), "valid_from", "known_from"]
    shown = [diff.c[name] for name in relation.stage.c.keys()]  # noqa: SIM118  the names
    beginning = select(SOURCE, *shown, OBSERVED_AT, _KNOWN_AT).where(diff.c[key].is_not(None), is_closed_first)
    opened = insert(old).from_select(columns, beginning).returning(old.c[key].label("key")).cte("opened")
    return Statement(
        union_all(
            select(literal(False).label("was_opened"), closed.c.key),  # noqa: FBT003
            select(literal(True), opened.c.key),  # noqa: FBT003
        ),
        way.schema,
    )


def same(one: FromClause, other: FromClause, columns: tuple[str, ...]) -> ColumnElement[bool]:
    """Whether two rows agree in columns that are never null."""
    return and_(*(one.c[name] == other.c[name] for name in columns))


def is_open(table: FromClause, source: ColumnElement[str] | str) -> ColumnElement[bool]:
    """Whether a version holds now, as believed now."""
    return and_(table.c.source == source, table.c.valid_to.is_(None), table.c.known_to.is_(None))


def is_concerned(relation: Relation, way: Way) -> ColumnElement[bool]:
    """Whether the step speaks of an open version."""
    old = relation.table
    if not way.is_part or relation.key[0] != "model_id":
        return is_open(old, SOURCE)
    return and_(is_open(old, SOURCE), old.c.model_id == any_(bindparam("models", type_=ARRAY(Text))))


def may_end(relation: Relation, way: Way) -> ColumnElement[bool]:
    """Whether absence from this snapshot proves that a row of the relation is gone (contract, rules 3 and 4)."""
    old = relation.table
    matches = (or_(stage_scope.c[name].is_(None), stage_scope.c[name] == old.c[name]) for name in relation.scope)
    unread = select(literal(1)).select_from(stage_scope).where(true(), *matches).correlate(old)
    return and_(_is_covered(relation, way), ~unread.exists())


def _is_covered(relation: Relation, way: Way) -> ColumnElement[bool]:
    """Whether the snapshot lists everything of the row's provider; a model, when it does so for all its providers."""
    is_complete = bindparam("is_complete", type_=Boolean)
    if not way.by_provider:
        return is_complete
    covered = any_(bindparam("providers", type_=ARRAY(Text)))
    old = relation.table
    if "provider" in relation.key:
        return old.c.provider == covered
    if relation is not relations.model:
        return is_complete
    route = relations.endpoint.table.alias("route")
    routes = select(func.bool_and(route.c.provider == covered)).where(
        is_open(route, SOURCE), route.c.model_id == old.c.model_id
    )
    return func.coalesce(routes.correlate(old).scalar_subquery(), is_complete)


def _difference(relation: Relation, way: Way) -> CTE:
    """What the stage shows otherwise than the open versions, beside the version concerned; null where one is missing.

    Materialized, so that all is compared before anything is written.
    """
    open_ones = select(relation.table).where(is_concerned(relation, way)).subquery("open_ones")
    new = relation.stage
    differs = or_(*(open_ones.c[name].is_distinct_from(new.c[name]) for name in relation.values))
    is_alone = or_(open_ones.c.version_id.is_(None), new.c[relation.key[0]].is_(None))
    return (
        select(open_ones.c.version_id, *new.c)
        .select_from(open_ones.join(new, same(open_ones, new, relation.key), full=True))
        .where(or_(is_alone, differs))
        .cte("difference")
        .prefix_with("MATERIALIZED")
    )


@cache
def _unseen(schema: str) -> Statement:
    """Stages the prices that stay in force although this snapshot does not show them, with their last sighting."""
    price, shown, unseen = relations.price, relations.price.stage, relations.unseen
    former = unseen.table
    last_seen = func.coalesce(former.c.last_seen_at, bindparam("last_seen_at", type_=TIMESTAMP))
    carried = (
        select(*(price.table.c[name] for name in price.key), last_seen)
        .select_from(
            price.table.outerjoin(shown, same(price.table, shown, price.key)).outerjoin(
                former, and_(is_open(former, SOURCE), same(former, price.table, price.key))
            )
        )
        .where(is_open(price.table, SOURCE), shown.c.model_id.is_(null()))
    )
    return Statement(insert(unseen.stage).from_select([*unseen.key, "last_seen_at"], carried), schema)
