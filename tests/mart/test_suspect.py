"""What looks like a mistake of a source is labelled with its reason, and what is merely unusual is not."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, text

from etl.domain.snapshot import Origin, Page, Snapshot
from etl.pipeline import Pipeline
from etl.sources.registry import kinds
from tests.database.roles import as_owner
from tests.load.believing import load
from tests.load.worlds import World, moment

OTHERS = {f"groq/other{number}": ("O", {"prompt": f"0.00000{number}5", "web_search": "0.01"}) for number in range(1, 6)}
"""Enough prices to tell what is usual, one with seven decimals among them."""


def world(**prices: str) -> World:
    return World(OTHERS | {"openai/a": ("A", prices)})


ABSENT = World(OTHERS)


def suspicions(engine: Engine, *worlds: World) -> list[Any]:
    """The reasons of each change of the model, in order of time; null where the mart does not call it suspect."""
    for day, each in enumerate(worlds):
        load(engine, "s", day, each)
    query = text(
        """
        SELECT c.meter, m.is_suspect, c.suspicion
          FROM mart.price_change m JOIN core.price_change c
            ON (c.source, c.model_id, c.meter, c.changed_at) = (m.source, m.model_id, m.meter, m.changed_at)
           AND c.known_to IS NULL
         WHERE m.model_id = 'openai/a' ORDER BY m.changed_at, m.meter
        """
    )
    with engine.connect() as connection:
        return [(row.meter, row.is_suspect, row.suspicion) for row in connection.execute(query)]


def reasons(engine: Engine) -> dict[str, list[str]]:
    """The prices in force that the mart calls suspect, by meter."""
    with engine.connect() as connection:
        found = connection.execute(text("SELECT meter, reasons FROM mart.suspect_price WHERE model_id = 'openai/a'"))
        return {row.meter: row.reasons for row in found}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("0.0000025", "0.000024", []),
        ("0.0000025", "0.000026", ["step"]),
        ("0.000026", "0.0000025", ["step"]),
        ("0.0000025", "0.000025", ["step", "power_of_ten"]),
        ("0.0000025", "0.00000025", ["step", "power_of_ten"]),
        ("0.0000025", "0.0025", ["step", "power_of_ten"]),
        ("-1", "0.0025", []),
    ],
)
def test_a_step_of_ten_times_either_way(engine: Engine, old: str, new: str, expected: list[str]) -> None:
    [(_, is_suspect, found)] = suspicions(engine, world(prompt=old), world(prompt=new))
    assert found == expected
    assert is_suspect == bool(expected) or new == "0.0025"


def test_a_step_across_a_gap_is_one_too(engine: Engine) -> None:
    gone, back = suspicions(engine, world(prompt="0.0000025"), ABSENT, world(prompt="0.000025"))
    assert gone == ("input_token", False, [])
    assert back == ("input_token", True, ["step", "power_of_ten"])


def test_an_amount_far_outside_the_range_of_its_meter(engine: Engine) -> None:
    [came] = suspicions(engine, world(prompt="0.0000025"), world(prompt="0.0000025", web_search="0.00001"))
    assert came == ("web_search", True, [])
    assert reasons(engine) == {"web_search": ["out_of_range"]}


def test_the_range_is_taken_across_sources_and_in_dollars(engine: Engine) -> None:
    load(engine, "elsewhere", 0, ABSENT)
    load(engine, "s", 0, World({"openai/a": ("A", {"prompt": "0.02"}), "groq/b": ("B", {})}))
    assert reasons(engine) == {"input_token": ["out_of_range"]}
    with engine.connect() as connection:
        low = connection.execute(text("SELECT currency, low FROM mart.meter_range WHERE meter = 'input_token'")).all()
    amounts = {row.currency: row.low for row in low}
    assert amounts["CREDIT"] == 1000 * amounts["USD"]


def test_prices_in_credits_count_in_the_range_as_the_dollars_that_they_are_worth(engine: Engine) -> None:
    load(engine, "s", 0, ABSENT)
    bounds = text("SELECT * FROM mart.meter_range ORDER BY meter, currency")
    with as_owner(engine).begin() as connection:
        in_dollars = connection.execute(bounds).all()
        connection.execute(text("UPDATE core.price SET currency = 'CREDIT', unit_price = unit_price * 1000"))
        assert connection.execute(bounds).all() == in_dollars


def test_what_is_dear_but_not_absurd_is_not_suspect(engine: Engine) -> None:
    [(_, is_suspect, found)] = suspicions(engine, ABSENT, world(prompt="0.00015"))
    assert (is_suspect, found) == (False, [])
    assert reasons(engine) == {}


def test_a_cache_read_that_is_dearer_than_the_input(engine: Engine) -> None:
    dear = world(prompt="0.0000025", input_cache_read="0.000005")
    fair = world(prompt="0.0000025", input_cache_read="0.0000025")
    came, fell, rose = suspicions(engine, world(prompt="0.0000025"), dear, fair, dear)
    assert came == ("cache_read_token", True, ["cache_dearer_than_input"])
    assert fell == ("cache_read_token", False, [])
    assert rose == ("cache_read_token", True, ["cache_dearer_than_input"])
    assert reasons(engine) == {"cache_read_token": ["cache_dearer_than_input"]}


def test_an_input_that_falls_below_its_cache_read(engine: Engine) -> None:
    before = world(prompt="0.0000025", input_cache_read="0.000002")
    [fell] = suspicions(engine, before, world(prompt="0.0000015", input_cache_read="0.000002"))
    assert fell == ("input_token", True, ["cache_dearer_than_input"])


@pytest.mark.parametrize(("other", "expected"), [("0.000025", ["truncated"]), ("0.0000025", [])])
def test_a_zero_where_all_prices_stop_at_six_decimals_may_be_a_small_price(
    engine: Engine, other: str, expected: list[str]
) -> None:
    others = {"groq/other": ("O", {"prompt": other})}
    [came] = suspicions(engine, World(others), World(others | {"openai/a": ("A", {"prompt": "0.000000"})}))
    assert came == ("input_token", bool(expected), expected)
    assert reasons(engine) == ({"input_token": expected} if expected else {})


def registry(**prices: float | str) -> bytes:
    """A Helicone catalog of one model that several providers serve, at USD per input token."""
    endpoints = [
        {"provider": provider, "endpoint": {"provider": provider, "pricing": [{"threshold": 0, "input": price}]}}
        for provider, price in prices.items()
    ]
    model = {"id": "a", "name": "A", "author": "openai", "endpoints": endpoints}
    return json.dumps({"data": {"models": [model], "total": 1}, "error": None}).encode()


def take(engine: Engine, day: int, body: bytes) -> None:
    page = Page(number=1, url=f"day-{day}.json", status=200, body=body, fetched_at=moment(day))
    snapshot = Snapshot(
        source="h", kind="helicone_registry", observed_at=moment(day), origin=Origin.BACKFILL, pages=(page,)
    )
    source = kinds()["helicone_registry"]("h")
    [done] = Pipeline(engine, lambda: datetime.now(UTC)).backfill(source, [snapshot])
    assert done.is_well, done


@pytest.mark.parametrize(("price", "expected"), [("0.000025", ["power_of_ten"]), ("0.0000026", []), ("0.0000025", [])])
def test_an_offer_that_comes_a_power_of_ten_away_from_all_others(
    engine: Engine, price: str, expected: list[str]
) -> None:
    take(engine, 0, registry(openai="0.0000025", azure="0.0000025"))
    take(engine, 1, registry(openai="0.0000025", azure="0.0000025", groq=price))
    with engine.connect() as connection:
        [found] = connection.scalars(text("SELECT suspicion FROM core.price_change WHERE source = 'h'"))
    assert found == expected


def test_others_that_disagree_tell_nothing_of_an_offer_that_comes(engine: Engine) -> None:
    take(engine, 0, registry(openai="0.0000025", azure="0.000003"))
    take(engine, 1, registry(openai="0.0000025", azure="0.000003", groq="0.000025"))
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT suspicion FROM core.price_change WHERE source = 'h'")).all() == [[]]
