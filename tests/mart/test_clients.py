"""Every client can read the mart: no interval in any column, and a double beside each price per million."""

from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

from etl.load.configured import Margin
from tests.mart.comparing import gateways, offer
from tests.mart.test_provider_cost import configure

COLUMNS = """
SELECT table_name AS name, column_name AS column, data_type AS type
  FROM information_schema.columns WHERE table_schema = 'mart'
UNION ALL
SELECT regexp_replace(specific_name, '_\\d+$', ''), parameter_name, data_type
  FROM information_schema.parameters WHERE specific_schema = 'mart' AND parameter_mode = 'OUT'
"""
PRICED = (
    *("price_current", "price_history", "price_daily", "provider_cost", "offer", "price_comparison", "cheapest"),
    "price_as_of",
)


def of_the_mart(engine: Engine) -> dict[tuple[str, str], str]:
    with engine.connect() as connection:
        return {(row.name, row.column): row.type for row in connection.execute(text(COLUMNS))}


def test_no_column_of_the_mart_is_an_interval(engine: Engine) -> None:
    assert [key for key, type_ in of_the_mart(engine).items() if type_ == "interval"] == []


def test_beside_each_price_per_million_stands_a_double(engine: Engine) -> None:
    found = of_the_mart(engine)
    exact = [key for key in found if key[1].endswith("per_million")]
    assert {name for name, _ in exact} == set(PRICED)
    assert {found.get((name, f"{column}_double")) for name, column in exact} == {"double precision"}


@pytest.mark.parametrize("name", PRICED)
def test_a_double_has_the_value_of_the_exact_price(engine: Engine, name: str) -> None:
    gateways(
        engine,
        s={"openai/gpt": offer(**{"in": "0.1234567890123456789", "out": "3", "read": "0.07", "write": "1.1"})},
        t={"openai/gpt": offer(**{"in": "0", "out": "0"}), "groq/auto": offer(**{"in": "-1"})},
    )
    configure(engine, margins=[Margin(kind="bifrost", factor=Decimal("1.4"), origin="o")])
    columns = [column for view, column in of_the_mart(engine) if view == name and column.endswith("per_million")]
    of = "mart.price_as_of(now())" if name == "price_as_of" else f"mart.{name}"
    with engine.begin() as connection:
        rows = [dict(row) for row in connection.execute(text(f"SELECT * FROM {of}")).mappings()]
    for column in columns:
        exact = [row[column] for row in rows]
        assert any(value is not None for value in exact), f"{column} is empty"
        assert [row[f"{column}_double"] for row in rows] == [None if it is None else float(it) for it in exact]
