"""Where there is no price there is no cost, and a reason: never a silent 0."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.mart.tariff import DAY, FIRST, GATEWAY, ask, costs, store, tariff, version
from tests.oracle.cost import Line

UNREADABLE = "quantity not a number >= 0"
WITHOUT = Decimal(5), None, None, None, None


def test_free_costs_nothing_and_says_so(engine: Engine) -> None:
    store(engine, tariff({"request": "0"}))
    assert ask(engine, {"request": 5}) == [Line("request", Decimal(5), 0, Decimal(0), "USD", Decimal(0), "free")]


def test_a_price_that_varies_is_no_price(engine: Engine) -> None:
    store(engine, tariff({"request": "dynamic"}))
    why = "dynamic: the source says that it varies"
    assert ask(engine, {"request": 5}) == [Line("request", Decimal(5), 0, None, "USD", None, why)]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"source": "elsewhere"}, "source unknown"),
        ({"source": None}, "source unknown"),
        ({"model_id": "maker/other"}, "model not listed at that time"),
        ({"at": FIRST - DAY}, "model not listed at that time"),
        ({"provider": "other"}, "endpoint not listed at that time"),
        ({"region": "eu"}, "endpoint not listed at that time"),
        ({"plan": "batch"}, "no price published for the meter"),
        ({"at": None}, "no moment given"),
    ],
)
def test_every_meter_says_why_it_has_no_price(engine: Engine, other: dict[str, Any], why: str) -> None:
    store(engine, tariff({"request": "1", "web_search": "2"}))
    found = ask(engine, {"request": 5, "web_search": 5}, **other)
    assert found == [Line("request", *WITHOUT, why), Line("web_search", *WITHOUT, why)]


def test_a_model_that_went_is_not_listed_any_more_and_an_endpoint_neither(engine: Engine) -> None:
    book = tariff({"request": "1"}, valid_to=FIRST + DAY)
    book.models[GATEWAY[:2]] = [version(GATEWAY[:2], valid_to=FIRST + 3 * DAY)]
    book.endpoints[GATEWAY] = [version(GATEWAY, valid_to=FIRST + 2 * DAY)]
    store(engine, book)
    assert [costs(engine, {"request": 1}, at=FIRST + days * DAY)["request"] for days in range(4)] == [
        "1",
        "no price published for the meter",
        "endpoint not listed at that time",
        "model not listed at that time",
    ]


def test_a_meter_without_a_price_has_no_cost_although_none_of_it_was_used(engine: Engine) -> None:
    store(engine, tariff({"input_token": "1"}))
    assert costs(engine, {"input_token": 0, "web_search": 0}) == {
        "input_token": "0",
        "web_search": "no price published for the meter",
    }


def test_a_prompt_below_the_lowest_tier_has_no_price(engine: Engine) -> None:
    store(engine, tariff({"input_token": {128_000: "1"}}))
    assert costs(engine, {"input_token": 127_999}) == {"input_token": "no price published for the meter"}


def test_a_name_that_is_no_meter_is_told_with_its_count(engine: Engine) -> None:
    store(engine, tariff({"request": "1"}))
    assert ask(engine, {"requests": 5, "request": 1})[1] == Line("requests", *WITHOUT, "unknown meter name")


@pytest.mark.parametrize("count", ["-1", "-1e-9", '"12"', '""', "true", "null", "[1]", '{"count": 1}'])
def test_what_is_no_count_has_no_cost_and_the_other_meters_have_theirs(engine: Engine, count: str) -> None:
    store(engine, tariff({"request": "1", "web_search": "2"}))
    assert costs(engine, f'{{"request": {count}, "web_search": 3}}') == {"request": UNREADABLE, "web_search": "6"}


@pytest.mark.parametrize("count", ["1e120", "9" * 200, "1e-300"])
def test_a_count_that_would_stop_every_other_row_is_refused(engine: Engine, count: str) -> None:
    store(engine, tariff({"request": "1", "web_search": "2"}))
    found = costs(engine, f'{{"request": {count}, "web_search": 3}}')
    assert found == {"request": "quantity beyond all reason", "web_search": "6"}


def test_a_part_that_is_no_count_leaves_the_input_without_a_cost(engine: Engine) -> None:
    store(engine, tariff({"input_token": "1", "cache_read_token": "1"}))
    assert costs(engine, {"input_token": 10, "cache_read_token": "4"}) == {
        "input_token": "a part of it is not a number >= 0",
        "cache_read_token": UNREADABLE,
    }


def test_where_the_prompt_is_unknown_only_a_price_without_tiers_is_the_price(engine: Engine) -> None:
    store(engine, tariff({"output_token": {0: "1", 200_000: "2"}, "request": "3"}))
    usage = {"input_token": "many", "output_token": 5, "request": 1}
    assert ask(engine, usage)[1:] == [
        Line("output_token", *WITHOUT, "prompt size unknown"),
        Line("request", Decimal(1), 0, Decimal(3), "USD", Decimal(3), None),
    ]


@pytest.mark.parametrize(
    ("usage", "why"),
    [
        (None, "usage is null"),
        ("null", "usage is null"),
        ("3", "usage is not an object"),
        ("[]", "usage is not an object"),
    ],
)
def test_a_usage_that_is_no_object_has_one_line_with_the_reason(engine: Engine, usage: str | None, why: str) -> None:
    store(engine, tariff({"request": "1"}))
    assert ask(engine, usage) == [Line(None, None, None, None, None, None, why)]


def test_a_usage_without_meters_has_no_lines(engine: Engine) -> None:
    store(engine, tariff({"request": "1"}))
    assert ask(engine, {}) == []
