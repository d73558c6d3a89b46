"""Everything that a report shows, read from the mart in one moment."""

from dataclasses import dataclass, field

from sqlalchemy import Engine

from etl.database.engine import one_moment
from etl.report import sql
from etl.report.scope import Asked, Scope, scope
from etl.report.sql import Row

MOST = {"changes": 500, "arrivals": 300, "retiring": 300, "offers": 1000, "tiers": 200}
"""Rows that a page shows of what has no end; those that count most come first, and the page says what it left out."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The answers of all questions; each row is that of the file below ``sql/`` that is called like the field."""

    scope: Scope
    sources: list[Row] = field(default_factory=list)
    changes: list[Row] = field(default_factory=list)
    prices: list[Row] = field(default_factory=list)
    unseen: list[Row] = field(default_factory=list)
    gaps: list[Row] = field(default_factory=list)
    index: list[Row] = field(default_factory=list)
    sizes: list[Row] = field(default_factory=list)
    churn: list[Row] = field(default_factory=list)
    arrivals: list[Row] = field(default_factory=list)
    retiring: list[Row] = field(default_factory=list)
    offers: list[Row] = field(default_factory=list)
    tiers: list[Row] = field(default_factory=list)
    quality: list[Row] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever observed, so that there is nothing to show."""
        return self.scope.until is None


QUESTIONS = tuple(name for name in Facts.__dataclass_fields__ if name != "scope")


def read(engine: Engine, asked: Asked) -> Facts:
    """All facts of one moment. Raises ``ConfigurationError`` when what was asked for is not there."""
    with one_moment(engine) as connection:
        here = scope(connection, asked)
        answers = {name: sql.rows(connection, name, here.values | {"most": MOST.get(name)}) for name in QUESTIONS}
    return Facts(scope=here, **answers)
