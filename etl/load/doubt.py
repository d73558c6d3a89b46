"""Doubts a snapshot that would end or change too much at once, before anything is ended (contract, rule 5)."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Numeric,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    literal_column,
    select,
)

from etl.database.driver import Statement
from etl.domain.catalog import Catalog
from etl.domain.records import Records
from etl.load import relations
from etl.load.merge import SOURCE, Step, Way, is_concerned, is_open, may_end, same
from etl.load.relations import Relation

GONE, WITH_MODEL, FREE = "gone", "gone with its model", "free"
"""Moves of a row in a snapshot; another one is a number: by how many powers of ten a price moved."""

Counts = dict[str | None, int]
"""How many rows moved, by their move; None: those that did not, or otherwise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """When a step is too large to be loaded at once.

    ``share`` is the largest part of a source's models or prices, 0 to 1, that may go, become free or move by one power
    of ten in one step. Fewer than ``minimum`` of them always may, and models with their prices: in a small catalog one
    is a large share. A later snapshot confirms one that is held from ``confirm_after`` on: a fault of a minute shows
    the same twice.
    """

    share: float = 0.2
    minimum: int = 2
    confirm_after: timedelta = timedelta(minutes=10)

    def is_much(self, moved: int, total: int) -> bool:
        """Return whether so many of a total are too many."""
        return moved >= self.minimum and moved > self.share * total


def objection(connection: Connection, step: Step, doubt: Doubt, former: Records | None = None) -> str | None:
    """Return why the staged snapshot should be held against the state of the step's schema; None when it should not.

    ``former`` are the records of that state where only a part of the snapshot is staged.
    """
    models = _moves(connection, relations.model, step)
    total = former.models if former else sum(models.values())
    if doubt.is_much(gone := models.get(GONE, 0), total):
        return f"would remove {gone} of {total} models"
    prices = _moves(connection, relations.price, step)
    if gone >= doubt.minimum:
        prices[GONE] = prices.get(GONE, 0) + prices.pop(WITH_MODEL, 0)
    return _about_prices(prices, former.prices if former else sum(prices.values()), doubt)


def is_bare(connection: Connection, source: str, catalog: Catalog) -> bool:
    """Return whether a catalog shows no model, or no price of a source that has some: a person decides about it."""
    counts = catalog.counts
    if counts["models"] and counts["prices"]:
        return False
    return not counts["models"] or bool(_HAS_PRICES.rows(connection, source=source)[0][0])


def _about_prices(moves: Counts, total: int, doubt: Doubt) -> str | None:
    gone, gone_with_model, freed = (moves.pop(move, 0) for move in (GONE, WITH_MODEL, FREE))
    if total and gone + gone_with_model == total:
        return f"would remove all {total} prices"
    if doubt.is_much(gone, total):
        return f"would remove {gone} of {total} prices"
    if doubt.is_much(freed, total):
        return f"would make {freed} of {total} prices free"
    moved, power = max(((count, int(move)) for move, count in moves.items() if move is not None), default=(0, 0))
    if doubt.is_much(moved, total):
        return f"would {'multiply' if power > 0 else 'divide'} {moved} of {total} prices by {10 ** abs(power)}"
    return None


def _moves(connection: Connection, relation: Relation, step: Step) -> Counts:
    """Count the rows that the step concerns, by what the staged snapshot would make of them."""
    return dict(_counting(relation, step.way).rows(connection, **step.values))


@cache
def _counting(relation: Relation, way: Way) -> Statement:
    old, new = relation.table, relation.stage
    is_gone: ColumnElement[bool] = new.c[relation.key[0]].is_(None) & may_end(relation, way)
    moves: list[tuple[ColumnElement[bool], ColumnElement[str]]] = [(is_gone, literal(GONE, Text))]
    if relation is relations.price:
        shown = relations.model.stage
        is_shown = exists(select(shown.c.model_id).where(shown.c.model_id == old.c.model_id)).correlate(old)
        moves.insert(0, (is_gone & ~is_shown, literal(WITH_MODEL, Text)))
        moves += [(_becomes_free(old, new), literal(FREE, Text)), (_is_slipped(old, new), cast(_power(old, new), Text))]
    move = case(*moves).label("move")
    joined = old.outerjoin(new, same(old, new, relation.key))
    counts = select(move, func.count()).select_from(joined).where(is_concerned(relation, way)).group_by("move")
    return Statement(counts, way.schema)


def _becomes_free(old: FromClause, new: FromClause) -> ColumnElement[bool]:
    return and_(old.c.price_state == "priced", new.c.price_state == "free")


def _is_slipped(old: FromClause, new: FromClause) -> ColumnElement[bool]:
    """Whether a price is an exact power of ten of what it was: a unit was mistaken for another one."""
    smaller, larger = func.least(old.c.unit_price, new.c.unit_price), func.greatest(old.c.unit_price, new.c.unit_price)
    factor = func.power(literal_column("10::numeric", Numeric), func.abs(_power(old, new)))
    both = and_(old.c.price_state == "priced", new.c.price_state == "priced", old.c.currency == new.c.currency)
    return and_(both, old.c.unit_price != new.c.unit_price, larger == smaller * factor)


def _power(old: FromClause, new: FromClause) -> ColumnElement[int]:
    """The power of ten that is nearest to what a price moved by; null where either is no amount above 0."""
    logs = (func.log(func.nullif(each.c.unit_price, 0)) for each in (new, old))
    return cast(func.round(next(logs) - next(logs)), Integer)


_HAS_PRICES = Statement(
    select(exists(select(relations.price.table.c.source).where(is_open(relations.price.table, SOURCE))))
)
