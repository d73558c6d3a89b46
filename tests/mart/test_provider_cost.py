"""What a provider charges without the margin of the gateway, exact to 28 significant digits."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from etl.load.configured import Margin, Rate, record
from tests.database.roles import as_owner
from tests.load.believing import load
from tests.load.worlds import World

DIGITS = Context(prec=28)


def price(engine: Engine, amount: Decimal | None, *, kind: str = "majestix", currency: str = "CREDIT") -> None:
    """Put one price in force, in a source of a kind."""
    load(engine, "s", 0, World({"openai/m": ("A", {"prompt": "1"})}))
    state = {None: "dynamic", Decimal(0): "free"}.get(amount, "priced")
    with as_owner(engine).begin() as connection:
        connection.execute(text("UPDATE core.source SET kind = :kind"), {"kind": kind})
        connection.execute(
            text("UPDATE core.price SET unit_price = :amount, price_state = :state, currency = :currency"),
            {"amount": amount, "state": state, "currency": currency},
        )


def configure(engine: Engine, rates: Iterable[Rate] = (), margins: Iterable[Margin] = ()) -> None:
    with engine.begin() as connection:
        record(connection, [], list(rates), list(margins), now=datetime.now(UTC))


def costs(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT * FROM mart.provider_cost")))


def test_the_margin_is_taken_off_the_price(engine: Engine) -> None:
    price(engine, Decimal("0.0042"))
    [row] = costs(engine)
    assert (row.source, row.model_id, row.provider, row.region, row.plan, row.meter, row.tier_start) == (
        *("s", "openai/m", "openai", "*", "standard", "input_token"),
        0,
    )
    assert (row.currency, row.unit_price, row.margin) == ("CREDIT", Decimal("0.0042"), Decimal("1.4"))
    assert str(row.provider_unit_price) == "0.003"
    assert str(row.provider_unit_price_usd) == "0.000003"
    assert str(row.provider_usd_per_million) == "3"
    assert row.margin_origin == "configuration: the margin that Majestix documents in public"


def test_a_division_that_does_not_end_keeps_28_significant_digits(engine: Engine) -> None:
    price(engine, Decimal("0.0001"))
    [row] = costs(engine)
    assert str(row.provider_unit_price) == "0.00007142857142857142857142857143"
    assert row.provider_unit_price == DIGITS.divide(Decimal("0.0001"), Decimal("1.4"))
    assert row.provider_unit_price_usd == row.provider_unit_price / 1000
    assert row.provider_usd_per_million == row.provider_unit_price * 1000


amounts = st.decimals(min_value=Decimal("1e-23"), max_value=Decimal("1e12"), places=25).filter(bool)
factors = st.decimals(min_value=Decimal("0.01"), max_value=Decimal(100), places=4).filter(bool)


@given(amount=amounts, factor=factors)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_the_quotient_is_that_of_28_digits(one_price: Engine, amount: Decimal, factor: Decimal) -> None:
    with as_owner(one_price).begin() as connection:
        connection.execute(text("UPDATE core.price SET unit_price = :amount"), {"amount": amount})
    configure(one_price, margins=[Margin(kind="majestix", factor=factor, origin="o")])
    [row] = costs(one_price)
    assert row.provider_unit_price == DIGITS.divide(amount, factor)


@pytest.fixture
def one_price(engine: Engine) -> Engine:
    price(engine, Decimal(1))
    return engine


def test_the_smallest_and_the_largest_amounts_lose_no_digit(engine: Engine) -> None:
    for amount, factor in product(
        ("1E-120", "9.999999999999999999999999999E-60", "1E+12", "7"), ("1.4", "3", "0.7", "1", "1E+120", "1E-120")
    ):
        price(engine, Decimal(amount), currency="USD")
        configure(engine, margins=[Margin(kind="majestix", factor=Decimal(factor), origin="o")])
        [row] = costs(engine)
        assert row.provider_unit_price == DIGITS.divide(Decimal(amount), Decimal(factor)), (amount, factor)
        assert row.provider_unit_price_usd == row.provider_unit_price


def test_free_is_free_and_what_varies_is_unknown(engine: Engine) -> None:
    price(engine, Decimal(0))
    [free] = costs(engine)
    assert (free.provider_unit_price, free.provider_usd_per_million) == (0, 0)


def test_what_varies_has_a_row_without_a_price(engine: Engine) -> None:
    price(engine, None)
    [row] = costs(engine)
    assert (row.margin, row.provider_unit_price, row.provider_unit_price_usd) == (Decimal("1.4"), None, None)


def test_without_a_rate_there_are_no_dollars(engine: Engine) -> None:
    price(engine, Decimal("1.4"), currency="EUR")
    [row] = costs(engine)
    assert (row.provider_unit_price, row.provider_unit_price_usd, row.provider_usd_per_million) == (1, None, None)
    configure(engine, rates=[Rate(currency="EUR", usd=Decimal("1.1"), origin="o")])
    [row] = costs(engine)
    assert (row.provider_unit_price_usd, row.provider_usd_per_million) == (Decimal("1.1"), 1_100_000)


def test_a_meter_that_counts_no_tokens_has_no_price_per_million(engine: Engine) -> None:
    price(engine, Decimal("1.4"))
    with as_owner(engine).begin() as connection:
        connection.execute(text("UPDATE core.price SET meter = 'request'"))
    [row] = costs(engine)
    assert (row.provider_unit_price_usd, row.provider_usd_per_million) == (Decimal("0.001"), None)


def test_a_kind_without_a_margin_has_no_row(engine: Engine) -> None:
    price(engine, Decimal(1), kind="bifrost")
    assert costs(engine) == []


def test_the_margin_in_force_now_counts(engine: Engine) -> None:
    price(engine, Decimal(6))
    now = datetime.now(UTC)
    margins = [(2, now - timedelta(days=1)), (3, now + timedelta(days=1))]
    configure(
        engine, margins=[Margin(kind="majestix", factor=Decimal(f), origin="o", valid_from=at) for f, at in margins]
    )
    [row] = costs(engine)
    assert (row.margin, row.provider_unit_price, row.margin_origin) == (2, 3, "configuration: o")
