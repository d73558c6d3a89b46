"""Doubts a live snapshot that would end too much, before anything is ended (contract, rule 5)."""

from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection, func, select

from etl.database.driver import Statement
from etl.domain.records import Records
from etl.load import relations
from etl.load.merge import Step, Way, is_concerned, may_end, same
from etl.load.relations import Relation


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """When a removal is too large to be believed at once.

    ``share`` is the largest part of a source's models, 0 to 1, that may go in one step. Fewer than ``minimum`` models
    are always believed: in a small catalog one model is a large share.
    """

    share: float = 0.2
    minimum: int = 2


def objection(connection: Connection, step: Step, doubt: Doubt, former: Records | None = None) -> str | None:
    """Why the staged snapshot should be held against the state of the step's schema; null when it should not.

    ``former`` are the records of that state where only a part of the snapshot is staged.
    """
    models, gone = _removal(connection, relations.model, step)
    models = former.models if former else models
    if gone >= doubt.minimum and gone > doubt.share * models:
        return f"would remove {gone} of {models} models"
    prices, gone = _removal(connection, relations.price, step)
    prices = former.prices if former else prices
    if prices and gone == prices:
        return f"would remove all {prices} prices"
    return None


def _removal(connection: Connection, relation: Relation, step: Step) -> tuple[int, int]:
    """How many rows of which the step speaks hold, and how many of them the staged snapshot would end by absence."""
    [(held, gone)] = _counting(relation, step.way).rows(connection, **step.values)
    return held, gone


@cache
def _counting(relation: Relation, way: Way) -> Statement:
    old, new = relation.table, relation.stage
    is_gone = new.c[relation.key[0]].is_(None) & may_end(relation, way)
    counts = (
        select(func.count(), func.count().filter(is_gone))
        .select_from(old.outerjoin(new, same(old, new, relation.key)))
        .where(is_concerned(relation, way))
    )
    return Statement(counts, way.schema)
