"""Thousands of invented usages, priced by the database in one query, against the oracle with its loops."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from etl.database.driver import copy_in
from tests.mart import invention
from tests.mart.book import analyze, fill
from tests.oracle.cost import Book, Line, Question, Total

CASES = 10_000
SEED = 20260101
COLUMNS = ("usage_id", "source", "model_id", "provider", "region", "plan", "at", "usage", "known_at")

Asked = tuple[Connection, Book, list[Question]]


@pytest.fixture
def asked(engine: Engine) -> Iterable[Asked]:
    """A warehouse with an invented book, and a temporary table of questions about it."""
    book = invention.book(SEED)
    questions = invention.questions(book, SEED + 1, CASES)
    with engine.begin() as connection:
        fill(connection, book)
        analyze(connection)
        connection.execute(
            text(
                "CREATE TEMP TABLE asked (usage_id int, source text, model_id text, provider text, region text,"
                " plan text, at timestamptz, usage jsonb, known_at timestamptz)"
            )
        )
        copy_in(connection, "asked", COLUMNS, ((number, *each) for number, each in enumerate(questions)))
        yield connection, book, questions


@pytest.mark.slow
def test_every_meter_of_every_usage_costs_what_the_oracle_says(asked: Asked) -> None:
    connection, book, questions = asked
    found: dict[int, list[Line]] = defaultdict(list)
    for number, *line in connection.execute(
        text(
            "SELECT t.usage_id, c.meter, c.quantity, c.tier_start, c.unit_price, c.currency, c.cost, c.note"
            " FROM asked t CROSS JOIN LATERAL"
            " mart.usage_cost(t.source, t.model_id, t.provider, t.region, t.usage, t.at, t.known_at, t.plan) c"
        )
    ):
        found[number].append(Line(*line))
    for number, question in enumerate(questions):
        assert _ordered(found[number]) == _ordered(book.lines(question)), question
    notes = Counter(
        re.split(r": | [a-z_]+:", line.note or "")[0]
        for lines in found.values()
        for line in lines
        if line.meter != "note"
    )
    assert len(notes) == 18, "every reason there is, every remark, free, and none"
    assert min(notes.values()) >= 5, f"too few of one of them: {notes}"


@pytest.mark.slow
def test_every_row_of_usage_costs_what_the_oracle_says(asked: Asked) -> None:
    connection, book, questions = asked
    found: dict[int, Total] = {}
    for number, known_at in enumerate(invention.KNOWN):
        where = f"known_at = '{known_at}'" if known_at else "known_at IS NULL"
        connection.execute(text(f"CREATE TEMP VIEW part_{number} AS SELECT * FROM asked WHERE {where}"))
        found |= _totals(connection, f"'part_{number}', known_at => CAST(:known_at AS timestamptz)", known_at=known_at)
    assert found == {number: book.total(question) for number, question in enumerate(questions)}
    assert sum(bool(total.cost) for total in found.values()) > 1_000, "too few of them have a price"


@pytest.mark.slow
def test_every_row_costs_what_the_oracle_says_at_the_prices_of_one_moment(asked: Asked) -> None:
    connection, book, questions = asked
    at = invention.CORRECTED
    found = _totals(connection, "'asked', :at", at=at)
    assert found == {
        number: book.total(question._replace(at=at, known_at=None)) for number, question in enumerate(questions)
    }


def _ordered(lines: list[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: line.meter or "")


def _totals(connection: Connection, arguments: str, **values: Any) -> dict[int, Total]:
    rows = connection.execute(
        text(f"SELECT usage_id::int, prompt_tokens, cost, currency, cost_usd, note FROM mart.usage_costs({arguments})"),
        values,
    ).all()
    return {
        row.usage_id: Total(
            *(row.prompt_tokens, row.cost, row.currency, row.cost_usd),
            frozenset(row.note.split("; ") if row.note else ()),
        )
        for row in rows
    }
