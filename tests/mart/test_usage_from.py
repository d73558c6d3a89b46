"""The usage objects of six vendors as ours, field by field; what has no meter is named and nothing is billed for it."""

import json
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from tests.docs.markdown import ROOT
from tests.mart.tariff import FIRST, GATEWAY, store, tariff
from tests.mart.test_parts import per_million
from tests.mart.vendors import CASES

FROM = text("SELECT mart.usage_from(:vendor, CAST(:usage AS jsonb))")
COST = text(
    "SELECT sum(cost) AS cost, bool_and(cost IS NOT NULL) AS is_whole, string_agg(note, '; ') AS notes"
    " FROM mart.usage_cost('gateway', 'maker/model', 'provider', '*',"
    " mart.usage_from(:vendor, CAST(:usage AS jsonb)), :at)"
)
CLAUDE = per_million(input="3", output="15", cache_read="0.3", cache_write_5m="3.75", cache_write_1h="6")
TABLE = (
    "CREATE TEMP TABLE traffic AS SELECT 1 AS usage_id, 'gateway' AS source, 'maker/model' AS model_id,"
    " 'provider' AS provider, '*' AS region, CAST(:at AS timestamptz) AS at,"
    " mart.usage_from(:vendor, CAST(:usage AS jsonb)) AS usage"
)


def ours(connection: Connection, vendor: str | None, usage: object) -> Any:
    return connection.scalar(FROM, {"vendor": vendor, "usage": None if usage is None else json.dumps(usage)})


@pytest.mark.parametrize("vendor", CASES)
def test_every_object_of_a_vendor_is_the_usage_that_its_description_means(engine: Engine, vendor: str) -> None:
    assert len(CASES[vendor]) >= 10
    with engine.connect() as connection:
        found = {name: ours(connection, vendor, usage) for name, (usage, _) in CASES[vendor].items()}
    assert found == {name: expected for name, (_, expected) in CASES[vendor].items()}


@pytest.mark.parametrize("usage", [None, [], 3, "text"])
def test_what_is_no_object_stays_what_it_is_so_that_its_cost_says_why(engine: Engine, usage: object) -> None:
    with engine.connect() as connection:
        assert ours(connection, "anthropic", usage) == usage


@pytest.mark.parametrize("vendor", ["openai", "Anthropic", "", None])
def test_an_unknown_vendor_is_named_with_those_that_are_known_and_costs_nothing_by_mistake(
    engine: Engine, vendor: str | None
) -> None:
    why = f"vendor {'null' if vendor is None else vendor} not known: it is one of {', '.join(sorted(CASES))}"
    store(engine, tariff(CLAUDE))
    asked = {"vendor": vendor, "usage": '{"input_tokens": 5}', "at": FIRST}
    with engine.connect() as connection:
        assert ours(connection, vendor, {"input_tokens": 5}) == {"note": why}
        assert tuple(connection.execute(COST, asked).one()) == (None, False, why)
        connection.execute(text(TABLE), asked)
        assert connection.execute(text("SELECT cost, note FROM mart.usage_costs('traffic')")).all() == [
            (None, f"usage is empty; {why}")
        ]


def test_a_word_of_usage_from_comes_with_the_cost_and_does_not_hide_it(engine: Engine) -> None:
    store(engine, tariff(CLAUDE))
    usage = {
        "input_tokens": 1000,
        "cache_read_input_tokens": 2000,
        "cache_creation_input_tokens": 3000,
        "cache_creation": {"ephemeral_5m_input_tokens": 1000, "ephemeral_1h_input_tokens": 2000},
        "output_tokens": 100,
        "smell_tokens": 4,
    }
    asked = {"vendor": "anthropic", "usage": json.dumps(usage), "at": FIRST}
    cost = Decimal("0.02085")
    with engine.connect() as connection:
        found = connection.execute(COST, asked).one()
        assert (found.cost, found.is_whole) == (cost, True)
        assert "no meter for: smell_tokens 4" in found.notes
        connection.execute(text(TABLE), asked)
        assert connection.execute(text("SELECT cost, note FROM mart.usage_costs('traffic')")).all() == [
            (cost, "no meter for: smell_tokens 4")
        ]


def test_the_name_of_the_word_is_no_meter_where_it_is_no_text(engine: Engine) -> None:
    store(engine, tariff(CLAUDE))
    with engine.connect() as connection:
        asked = dict(zip(("s", "m", "p", "r"), GATEWAY, strict=True))
        question = "SELECT note FROM mart.usage_cost(:s, :m, :p, :r, jsonb_build_object('note', 3), '2026-01-01Z')"
        assert connection.scalars(text(question), asked).all() == ["unknown meter name"]


def test_the_document_names_every_field_that_is_known(engine: Engine) -> None:
    document = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT DISTINCT vendor, field, meter FROM mart.usage_field")).all()
    sections = {vendor: document.split(f"### `{vendor}`")[1].split("\n### ")[0].split("\n## ")[0] for vendor in CASES}
    for row in rows:
        [line] = [line for line in sections[row.vendor].splitlines() if line.startswith(f"| `{row.field}` |")]
        assert row.meter is None or f"`{row.meter}`" in line, row
    told = {vendor: sections[vendor].count("\n| `") for vendor in CASES}
    assert told == {vendor: len({row.field for row in rows if row.vendor == vendor}) for vendor in CASES}
