"""A whole table of usage, priced in one statement: one row each, and never a partial sum."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import ProgrammingError

from tests.mart.tariff import DAY, FIRST, GATEWAY, Quoted, add, store, tariff
from tests.oracle.cost import Book

PRICES: dict[str, Quoted] = {
    "input_token": {0: "1", 200_000: "2"},
    "output_token": "3",
    "request": "0",
    "web_search": "dynamic",
}


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """A session of an analyst, whose temporary tables go with it."""
    with engine.connect() as connection:
        yield connection


def record(connection: Connection, *usages: object, at: Sequence[datetime] = (FIRST,)) -> None:
    """A temporary table ``traffic`` with these usages at the gateway, numbered from 1."""
    connection.execute(
        text(
            "CREATE TEMP TABLE traffic (usage_id bigint, source text, model_id text, provider text, region text,"
            " at timestamptz, usage jsonb)"
        )
    )
    moments = [*at, *[at[-1]] * len(usages)]
    for number, usage in enumerate(usages, 1):
        row = (number, *GATEWAY, moments[number - 1], None if usage is None else json.dumps(usage))
        names = [f"v{place}" for place in range(len(row))]
        values = ", ".join(f":{name}" for name in names)
        connection.execute(text(f"INSERT INTO traffic VALUES ({values})"), dict(zip(names, row, strict=True)))


def totals(connection: Connection, arguments: str = "'traffic'", **values: Any) -> list[tuple[Any, ...]]:
    question = text(f"SELECT usage_id, cost, currency, cost_usd, note FROM mart.usage_costs({arguments})")
    return [tuple(row) for row in connection.execute(question, values)]


def dated(*prices: str) -> Book:
    """A request costs the first of these on the first day, the next on the next, and so on."""
    book = tariff({})
    for day, price in enumerate(prices):
        end = FIRST + (day + 1) * DAY if day + 1 < len(prices) else None
        add(book, {"request": price}, valid_from=FIRST + day * DAY, valid_to=end)
    return book


def test_a_row_of_usage_is_the_sum_of_its_meters(engine: Engine, connection: Connection) -> None:
    store(engine, tariff(PRICES))
    record(connection, {"input_token": 199_999, "output_token": 2}, {"input_token": 200_000, "request": 1})
    assert totals(connection) == [
        ("1", 200_005, "USD", 200_005, None),
        ("2", 400_000, "USD", 400_000, None),
    ]


def test_amounts_are_exact_and_written_without_trailing_zeros(engine: Engine, connection: Connection) -> None:
    book = tariff(
        {"input_token": "0.00000000000000000000001", "output_token": "0.5", "request": "0.50"}, currency="CREDIT"
    )
    store(engine, book)
    record(connection, {"output_token": 1, "request": 1}, {"input_token": 123456789012345678901234567})
    rows = connection.execute(text("SELECT cost::text, cost_usd::text FROM mart.usage_costs('traffic')")).all()
    assert [tuple(row) for row in rows] == [
        ("1", "0.001"),
        ("1234.56789012345678901234567", "1.23456789012345678901234567"),
    ]


def test_all_that_identifies_the_row_comes_back_with_it(engine: Engine, connection: Connection) -> None:
    store(engine, tariff(PRICES))
    record(connection, {"input_token": 5, "input_image_token": 0})
    connection.execute(text("UPDATE traffic SET region = NULL"))
    [row] = connection.execute(text("SELECT * FROM mart.usage_costs('traffic')")).mappings()
    assert dict(row) == {
        **dict(zip(("source", "model_id", "provider", "region"), GATEWAY, strict=True)),
        "usage_id": "1",
        "at": FIRST,
        "prompt_tokens": 5,
        "cost": 5,
        "currency": "USD",
        "cost_usd": 5,
        "note": None,
    }


def test_one_meter_without_a_price_leaves_the_row_without_a_cost_and_names_it(
    engine: Engine, connection: Connection
) -> None:
    store(engine, tariff(PRICES))
    record(connection, {"web_search": 1, "output_token": 5, "tokens": 2, "input_image": 1, "request": -1})
    why = (
        "input_image: no price published for the meter; request: quantity not a number >= 0;"
        " web_search: dynamic: the source says that it varies; tokens: unknown meter name"
    )
    assert totals(connection) == [("1", None, None, None, why)]


def test_what_was_not_used_needs_no_price(engine: Engine, connection: Connection) -> None:
    store(engine, tariff(PRICES))
    record(connection, {"output_token": 5, "input_image": 0, "web_search": 0, "tokens": 0})
    assert totals(connection) == [("1", 15, "USD", 15, None)]


def test_an_input_that_was_all_read_from_the_cache_needs_no_price(engine: Engine, connection: Connection) -> None:
    store(engine, tariff({"cache_read_token": "0.1"}))
    record(connection, {"input_token": 50, "cache_read_token": 50})
    assert totals(connection) == [("1", 5, "USD", 5, None)]


def test_a_cost_of_nothing_says_why(engine: Engine, connection: Connection) -> None:
    store(engine, tariff(PRICES))
    record(connection, {"request": 7}, {"output_token": 0}, {}, None)
    assert totals(connection) == [
        ("1", 0, "USD", 0, "free"),
        ("2", 0, None, 0, "nothing used"),
        ("3", None, None, None, "usage is empty"),
        ("4", None, None, None, "usage is null"),
    ]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("source = 'elsewhere'", "source unknown"),
        ("model_id = NULL", "model not listed at that time"),
        ("provider = 'other'", "endpoint not listed at that time"),
        ("at = NULL", "no moment given"),
        ("at = '2025-12-31Z'", "model not listed at that time"),
    ],
)
def test_a_row_that_nothing_is_known_of_is_there_with_the_reason(
    engine: Engine, connection: Connection, change: str, why: str
) -> None:
    store(engine, tariff(PRICES))
    record(connection, {"output_token": 5})
    connection.execute(text(f"UPDATE traffic SET {change}"))
    assert totals(connection) == [("1", None, None, None, f"output_token: {why}")]


def test_each_row_has_the_prices_of_its_own_moment_or_all_those_of_one(engine: Engine, connection: Connection) -> None:
    store(engine, dated("1", "2", "3"))
    record(connection, *[{"request": 1}] * 3, at=[FIRST, FIRST + DAY, FIRST + 2 * DAY])
    assert [row[1] for row in totals(connection)] == [1, 2, 3]
    assert [row[1] for row in totals(connection, "'traffic', :at", at=FIRST + DAY)] == [2, 2, 2]


def test_what_we_believed_earlier_stays_answerable(engine: Engine, connection: Connection) -> None:
    learned = FIRST + 5 * DAY
    book = tariff({"request": "20"}, known_to=learned)
    add(book, {"request": "0.02"}, known_from=learned)
    store(engine, book)
    record(connection, {"request": 1})
    assert [row[1] for row in totals(connection)] == [Decimal("0.02")]
    assert [row[1] for row in totals(connection, "'traffic', known_at => :k", k=learned - DAY.resolution)] == [20]


def test_credits_are_dollars_by_the_rate_of_the_moment(engine: Engine, connection: Connection) -> None:
    book = tariff({"request": "5"}, currency="CREDIT")
    book.rates["CREDIT"] = [(FIRST + DAY, Decimal("0.002"))]
    store(engine, book)
    record(connection, *[{"request": 1}] * 3, at=[FIRST, FIRST + DAY - DAY.resolution, FIRST + DAY])
    assert [row[1:4] for row in totals(connection)] == [
        *[(5, "CREDIT", Decimal("0.005"))] * 2,
        (5, "CREDIT", Decimal("0.010")),
    ]


def test_a_currency_without_a_rate_has_a_cost_and_no_dollars(engine: Engine, connection: Connection) -> None:
    store(engine, tariff({"request": "5"}, currency="EUR"))
    record(connection, {"request": 2})
    assert totals(connection) == [("1", 10, "EUR", None, "no rate for EUR")]


def test_currencies_are_never_added_up_except_as_dollars(engine: Engine, connection: Connection) -> None:
    book = tariff({"request": "5"}, currency="CREDIT")
    add(book, {"output_token": "1"})
    add(book, {"web_search": "1"}, currency="EUR")
    store(engine, book)
    record(connection, {"request": 1, "output_token": 1}, {"output_token": 1, "web_search": 1})
    assert totals(connection) == [
        ("1", None, None, Decimal("1.005"), "mixed currencies: CREDIT, USD"),
        ("2", None, None, None, "mixed currencies: EUR, USD; no rate for EUR"),
    ]


def test_rows_with_one_id_stay_rows_of_their_own_in_their_order(engine: Engine, connection: Connection) -> None:
    store(engine, tariff(PRICES))
    record(connection, {"output_token": 1}, {"output_token": 2}, {"output_token": 2})
    connection.execute(text("UPDATE traffic SET usage_id = NULL WHERE usage_id = 3"))
    connection.execute(text("UPDATE traffic SET usage_id = 7 WHERE usage_id < 3"))
    assert sorted(totals(connection), key=str) == [
        ("7", 3, "USD", 3, None),
        ("7", 6, "USD", 6, None),
        (None, 6, "USD", 6, None),
    ]


def test_a_view_with_a_plan_and_other_types_is_read_as_well(engine: Engine, connection: Connection) -> None:
    book = tariff({"request": "2"})
    add(book, {"request": "1"}, plan="batch")
    store(engine, book)
    record(connection, {"request": 1})
    connection.execute(
        text(
            "CREATE TEMP VIEW \"Odd name\" AS SELECT plan, md5('x')::uuid AS usage_id, source::varchar, model_id,"
            " provider::name, region, at::date AS at, usage::json AS usage"
            " FROM traffic, (VALUES ('batch'), (NULL), ('flex')) p (plan)"
        )
    )
    assert [row[1] for row in totals(connection, "'\"Odd name\"'")] == [1, 2, None]


def test_a_table_that_lacks_a_column_is_refused_with_the_names_that_are_needed(connection: Connection) -> None:
    connection.execute(text("CREATE TEMP TABLE bare (usage_id int, source text, model text, region text, at date)"))
    with pytest.raises(ProgrammingError) as refusal:
        totals(connection, "'bare'")
    assert "bare has no column model_id, provider, usage" in str(refusal.value)
    assert "usage_id, source, model_id, provider, region, at and usage are needed" in str(refusal.value)


def test_an_empty_table_has_no_rows(connection: Connection) -> None:
    record(connection)
    assert totals(connection) == []
