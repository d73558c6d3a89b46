"""What a usage cost says when its price was last seen, in both functions alike, and what it cost all the same."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.load.believing import load
from tests.load.worlds import World, moment
from tests.mart.comparing import offer

SHOWN = World({"openai/o3": offer(**{"in": "2", "out": "0"}), "groq/b": offer(**{"in": "1"})})
HIDDEN = World(SHOWN.models, failed=frozenset({"openai"}))
LATER = moment(1) + timedelta(days=420)
LAST = "last seen 2026-01-02"
ASKED = "'s', 'openai/o3', 'openai', '*'"


def lines(engine: Engine, at: datetime, usage: str, known_at: datetime | None = None) -> list[tuple[Any, ...]]:
    sql = f"SELECT meter, cost, note FROM mart.usage_cost({ASKED}, CAST(:usage AS jsonb), :at, :known_at)"
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql), {"usage": usage, "at": at, "known_at": known_at})]


def whole(
    engine: Engine, usage: str, *moments: datetime, known_at: datetime | None = None
) -> Iterator[tuple[Any, ...]]:
    """Ask for one usage at each of its moments, in one table."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TEMP TABLE asked ON COMMIT DROP AS"
                " SELECT 1 AS usage_id, 's' AS source, 'openai/o3' AS model_id,"
                " 'openai' AS provider, '*' AS region, at, CAST(:usage AS jsonb) AS usage"
                " FROM unnest(CAST(:moments AS timestamptz[])) at"
            ),
            {"usage": usage, "moments": list(moments)},
        )
        answers = text("SELECT cost, note FROM mart.usage_costs('asked', NULL, :known_at)")
        yield from (tuple(row) for row in connection.execute(answers, {"known_at": known_at}))


@pytest.fixture
def pulled(engine: Engine) -> Engine:
    for day in range(2):
        load(engine, "s", day, SHOWN)
    return engine


def test_a_price_that_was_not_looked_at_for_months_is_billed_with_the_day_it_was_last_seen(pulled: Engine) -> None:
    usage = '{"input_token": 1000, "cache_read_token": 5, "output_token": 10}'
    assert lines(pulled, LATER, usage) == [
        ("input_token", Decimal("0.002"), LAST),
        ("output_token", 0, f"free; {LAST}"),
        ("cache_read_token", 0, "counted in input_token: no price of its own"),
    ]
    assert list(whole(pulled, usage, moment(1), LATER)) == [(Decimal("0.002"), None), (Decimal("0.002"), LAST)]


def test_a_part_at_the_price_of_its_whole_names_both(pulled: Engine) -> None:
    alone = '{"cache_read_token": 1000}'
    at_price = "at the price of input_token: none of its own"
    assert lines(pulled, LATER, alone) == [("cache_read_token", Decimal("0.002"), f"{at_price}; {LAST}")]
    assert list(whole(pulled, alone, LATER)) == [(Decimal("0.002"), LAST)]


def test_what_was_not_used_or_is_free_has_its_own_word_in_a_table(pulled: Engine) -> None:
    assert list(whole(pulled, '{"input_token": 0}', LATER)) == [(0, "nothing used")]
    assert list(whole(pulled, '{"output_token": 9}', LATER)) == [(0, f"free; {LAST}")]


@pytest.mark.parametrize("day", [0, 1, 2, 3, 4])
def test_both_functions_ask_alike_where_a_look_could_not_show_the_price(engine: Engine, day: int) -> None:
    for number, world in enumerate((SHOWN, HIDDEN, HIDDEN, SHOWN, HIDDEN)):
        load(engine, "s", number, world)
    with engine.connect() as connection:
        known = connection.scalars(text("SELECT known_at FROM mart.observation ORDER BY known_at")).all()
    for known_at in (None, *known):
        [(_, cost, note)] = lines(engine, moment(day), '{"input_token": 1000}', known_at)
        assert list(whole(engine, '{"input_token": 1000}', moment(day), known_at=known_at)) == [
            (cost, note if cost is not None else f"input_token: {note}")
        ]
    hidden = {1: None, 2: None, 3: None, 4: "last seen 2026-01-04"}
    assert lines(engine, moment(day), '{"input_token": 1000}')[0][2] == hidden.get(day)


DEARER = World({"openai/o3": offer(**{"in": "3", "out": "0"}), "groq/b": offer(**{"in": "1"})})
FAR_APART = {
    "every look shows it": {0: SHOWN, 2: SHOWN, 4: DEARER, 7: DEARER, 8: SHOWN},
    "some could not": {0: SHOWN, 2: SHOWN, 4: DEARER, 5: HIDDEN, 7: DEARER, 9: HIDDEN},
}


@pytest.mark.parametrize("looks", FAR_APART.values(), ids=FAR_APART)
def test_both_functions_ask_alike_between_looks_far_apart(engine: Engine, looks: dict[int, World]) -> None:
    for day, world in looks.items():
        load(engine, "s", day, world)
    moments = [moment(0) + timedelta(hours=hour) for hour in range(0, 260, 7)]
    expected = [lines(engine, at, '{"input_token": 1000}')[0][1:] for at in moments]
    assert list(whole(engine, '{"input_token": 1000}', *moments)) == expected
    assert {note for _, note in expected} >= {None, "last seen 2026-01-03", "last seen 2026-01-08"}
