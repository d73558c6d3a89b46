"""What a snapshot dated in the future says is kept, and is in force from then on: never before."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from etl.domain.snapshot import Origin
from etl.pipeline import Pipeline
from etl.sources.registry import kinds
from tests.load.worlds import World
from tests.mart.test_source_health import shown

NOW = datetime.now(UTC)
FIELDS = {"prompt": "0.000001", "completion": "0.000002", "image": "0.5"}
THEN = World({"openai/gpt-4o": ("old", FIELDS), "groq/llama-3-8b": ("L", FIELDS)})
TO_COME = World({"openai/gpt-4o": ("new", FIELDS | {"prompt": "0.000009"}), "openai/gpt-9": ("nine", FIELDS)})

VIEWS = {
    "price_current": "model_id, model_name, provider, meter, unit_price, valid_from, last_seen_at",
    "price_in_force": "model_id, provider, meter, unit_price, valid_from",
    "model_current": "model_id, name, valid_from",
    "endpoint_current": "model_id, provider, valid_from",
    "offer": "model_id, provider, input_usd_per_million, price_state",
    "cheapest": "canonical_id, meter, source, provider",
    "meter_range": "meter, currency, prices, lower_quartile",
    "suspect_price": "model_id, meter, reasons",
    "price_daily": "model_id, meter, day, unit_price",
    "price_index": "day, index, items",
    "source_health": "source, status, last_complete_at, last_change_at",
    "data_quality": "source, problem, count",
}


def load(engine: Engine, name: str, *worlds: tuple[timedelta, World]) -> None:
    saved = [shown(NOW + age, world, Origin.BACKFILL, name) for age, world in worlds]
    list(Pipeline(engine, lambda: datetime.now(UTC)).backfill(kinds()["bifrost"](name), saved))


@pytest.fixture
def answers(engine: Engine, empty_engine: Engine) -> tuple[Engine, Engine]:
    """A warehouse that also has a snapshot of years to come, and one that has not."""
    past = (timedelta(days=-3), THEN), (timedelta(days=-1), THEN)
    load(engine, "s", *past, (timedelta(days=900), TO_COME))
    load(empty_engine, "s", *past)
    return engine, empty_engine


def rows(engine: Engine, sql: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return sorted((tuple(row) for row in connection.execute(text(sql))), key=str)


@pytest.mark.parametrize("view", VIEWS)
def test_no_view_of_the_present_shows_what_is_not_valid_yet(answers: tuple[Engine, Engine], view: str) -> None:
    future, present = answers
    asked = f"SELECT {VIEWS[view]} FROM mart.{view}"
    assert rows(future, asked) == rows(present, asked)


def test_what_is_to_come_stands_in_the_history_and_is_answered_for_its_time(answers: tuple[Engine, Engine]) -> None:
    future, _ = answers
    asked = "SELECT unit_price FROM mart.price_%s WHERE model_id = 'openai/gpt-4o' AND meter = 'input_token'"
    then = f"as_of('{(NOW + timedelta(days=901)).isoformat()}')"
    assert [float(str(row[0])) for row in rows(future, asked % then)] == [9e-06]
    assert len(rows(future, asked % "history")) == 2
