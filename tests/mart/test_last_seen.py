"""A price that was not confirmed for longer than its source allows is billed with a word about it."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from tests.load.believing import load
from tests.load.worlds import World, moment
from tests.mart.comparing import offer, rows

SHOWN = World({"openai/o3": offer(**{"in": "2"}), "groq/b": offer(**{"in": "1"})})
DEARER = World({"openai/o3": offer(**{"in": "3"}), "groq/b": offer(**{"in": "1"})})
HIDDEN = World(SHOWN.models, failed=frozenset({"openai"}))


def note(engine: Engine, at: datetime) -> str | None:
    sql = "SELECT mart.last_seen_note('s', 'openai/o3', 'openai', '*', 'standard', 'input_token', 0, :at) AS note"
    [row] = rows(engine, sql, at=at)
    found: str | None = row.note
    return found


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (timedelta(hours=2), None),
        (timedelta(hours=4), "last seen 2026-01-02"),
        (timedelta(days=420), "last seen 2026-01-02"),
    ],
)
def test_beyond_the_age_that_the_source_allows_the_last_look_is_named(
    engine: Engine, after: timedelta, expected: str | None
) -> None:
    for day in range(2):
        load(engine, "s", day, SHOWN)
    assert note(engine, moment(1) + after) == expected


def test_a_later_look_at_the_same_price_confirms_it_and_another_price_does_not(engine: Engine) -> None:
    for day, world in ((0, SHOWN), (10, SHOWN), (20, DEARER)):
        load(engine, "s", day, world)
    assert note(engine, moment(5)) is None
    assert note(engine, moment(15)) == "last seen 2026-01-11"


def test_a_look_that_could_not_show_the_price_confirms_nothing(engine: Engine) -> None:
    for day, world in ((0, SHOWN), (1, HIDDEN), (2, HIDDEN)):
        load(engine, "s", day, world)
    assert note(engine, moment(2)) == "last seen 2026-01-01"
    load(engine, "s", 3, SHOWN)
    assert note(engine, moment(2)) is None
