"""Nothing is billed twice, nothing is lost: a part with a price leaves its whole, a part without one stays in it."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.database.roles import as_owner
from tests.mart.tariff import FIRST, GATEWAY, Quoted, ask, costs, store, tariff
from tests.oracle.cost import WHOLES

MILLIONTH = Decimal("1e-6")


def per_million(**prices: str) -> dict[str, Quoted]:
    """Prices in USD per million tokens, by the names of the meters without their ending."""
    return {f"{meter}_token": format(Decimal(price) * MILLIONTH, "f") for meter, price in prices.items()}


def total(engine: Engine, usage: dict[str, Any], prices: dict[str, Quoted]) -> tuple[Decimal | None, str | None]:
    """What usage_costs makes of one usage, which is what the meters of usage_cost sum up to."""
    store(engine, tariff(prices))
    lines = ask(engine, usage)
    with engine.connect() as connection:
        connection.execute(
            text(
                "CREATE TEMP TABLE one AS SELECT 1 AS usage_id, CAST(:s AS text) AS source,"
                " CAST(:m AS text) AS model_id,"
                " CAST(:p AS text) AS provider, CAST(:r AS text) AS region, CAST(:at AS timestamptz) AS at,"
                " CAST(:usage AS jsonb) AS usage"
            ),
            dict(zip("smpr", GATEWAY, strict=True)) | {"at": FIRST, "usage": text_of(usage)},
        )
        row = connection.execute(text("SELECT cost, note FROM mart.usage_costs('one')")).one()
    summed = None if any(line.cost is None for line in lines) else sum((line.cost or Decimal(0)) for line in lines)
    assert row.cost == summed
    return row.cost, row.note


def text_of(usage: dict[str, Any]) -> str:
    return "{" + ", ".join(f'"{meter}": {count}' for meter, count in usage.items()) + "}"


CASES: dict[str, tuple[dict[str, str], dict[str, Any], str]] = {
    "images of the output": (
        {"input": "2", "output": "12", "input_image": "2", "output_image": "120"},
        {"input_token": 10, "output_token": 1345, "output_image_token": 1120},
        "0.13712",
    ),
    "a total and its part of a write": (
        {"input": "3", "cache_write": "3.75", "cache_write_5m": "3.75", "cache_write_1h": "6"},
        {"input_token": 600_000, "cache_write_token": 400_000, "cache_write_5m_token": 400_000},
        "2.1",
    ),
    "both lifetimes inside one total": (
        {"input": "3", "cache_write": "3.75", "cache_write_5m": "3.75", "cache_write_1h": "6"},
        {"input_token": 1000, "cache_write_token": 500, "cache_write_5m_token": 200, "cache_write_1h_token": 100},
        "0.0036",
    ),
    "lifetimes where only one price of writing is published": (
        {"input": "3", "cache_write": "3.75"},
        {"input_token": 1000, "cache_write_5m_token": 200, "cache_write_1h_token": 100},
        "0.003225",
    ),
    "a write of unknown lifetime where only lifetimes are published": (
        {"input": "3", "cache_write_5m": "3.75", "cache_write_1h": "6"},
        {"input_token": 1000, "cache_write_token": 400},
        "0.0033",
    ),
    "reasoning at a price of its own": (
        {"output": "8", "reasoning": "3"},
        {"output_token": 1000, "reasoning_token": 600},
        "0.005",
    ),
    "reasoning at the price of the output": (
        {"output": "3", "reasoning": "3"},
        {"output_token": 1000, "reasoning_token": 600},
        "0.003",
    ),
    "reasoning quoted as 0": (
        {"output": "10", "reasoning": "0"},
        {"output_token": 1000, "reasoning_token": 600},
        "0.01",
    ),
    "reasoning without a price": ({"output": "10"}, {"output_token": 1000, "reasoning_token": 600}, "0.01"),
    "reasoning alone": ({"output": "10", "reasoning": "0"}, {"reasoning_token": 600}, "0.006"),
    "reasoning and output both free": (
        {"output": "0", "reasoning": "0"},
        {"output_token": 9, "reasoning_token": 6},
        "0",
    ),
    "a cache without a price": ({"input": "2"}, {"input_token": 1000, "cache_read_token": 600}, "0.002"),
    "images without a price": ({"input": "2"}, {"input_token": 1000, "input_image_token": 600}, "0.002"),
    "audio, some of it cached": (
        {"input": "1", "input_audio": "10", "cache_read_audio": "2"},
        {"input_token": 1000, "input_audio_token": 300, "cache_read_audio_token": 100},
        "0.0029",
    ),
    "cached audio without a price stays in the audio": (
        {"input": "1", "input_audio": "10", "cache_read": "0.1"},
        {"input_token": 1000, "input_audio_token": 300, "cache_read_audio_token": 100},
        "0.0037",
    ),
    "cached images of a model that asks nothing for images of its own": (
        {"input": "2", "cache_read": "0.2"},
        {"input_token": 2500, "input_image_token": 500, "cache_read_token": 600, "cache_read_image_token": 400},
        "0.0032",
    ),
    "text and images cached": (
        {"input": "2", "cache_read": "0.2", "input_image": "3", "cache_read_image": "0.3"},
        {"input_token": 2500, "input_image_token": 500, "cache_read_token": 600, "cache_read_image_token": 400},
        "0.00334",
    ),
    "images that were cached as well, where images have no price": (
        {"input": "2", "cache_read": "0.2"},
        {"input_token": 1000, "input_image_token": 800, "cache_read_token": 900},
        "0.00038",
    ),
    "parts without their whole": (
        {"input": "2", "cache_read": "0.2", "input_image": "3"},
        {"cache_read_token": 500, "input_image_token": 100},
        "0.0004",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_billed_twice_and_nothing_is_lost(engine: Engine, case: str) -> None:
    prices, usage, cost = CASES[case]
    found, note = total(engine, usage, per_million(**prices))
    assert found == Decimal(cost)
    assert note == ("free" if cost == "0" else None)


@pytest.mark.parametrize("part", sorted(WHOLES))
def test_every_part_leaves_its_whole_when_it_has_a_price_and_stays_in_it_when_it_has_none(
    engine: Engine, part: str
) -> None:
    [*_, whole] = WHOLES[part]
    store(engine, tariff({whole: "1", part: "5"}))
    assert costs(engine, {whole: 10, part: 4}) == {whole: "6", part: "20"}


@pytest.mark.parametrize("part", sorted(WHOLES))
def test_a_part_without_a_price_says_where_it_is_counted(engine: Engine, part: str) -> None:
    [*_, whole] = WHOLES[part]
    store(engine, tariff({whole: "1"}))
    lines = {line.meter: line for line in ask(engine, {whole: 10, part: 4})}
    assert (lines[whole].quantity, lines[whole].cost) == (10, 10)
    assert (lines[part].quantity, lines[part].cost, lines[part].unit_price) == (0, 0, None)
    assert lines[part].note == f"counted in {whole}: no price of its own"


@pytest.mark.parametrize("part", sorted(WHOLES))
def test_more_of_a_part_than_of_its_whole_leaves_the_whole_without_a_cost(engine: Engine, part: str) -> None:
    [*_, whole] = WHOLES[part]
    store(engine, tariff({whole: "1", part: "5"}))
    why = f"a total and its parts disagree: {whole} 10, {part} 11"
    assert costs(engine, {whole: 10, part: 11}) == {whole: why, part: "55"}
    with as_owner(engine).begin() as connection:
        connection.execute(text("DELETE FROM core.price WHERE meter = :part"), {"part": part})
    assert costs(engine, {whole: 10, part: 11}) == {whole: why, part: "0"}


def test_a_part_of_a_part_is_taken_out_of_the_nearest_whole_that_is_billed(engine: Engine) -> None:
    store(engine, tariff({"input_token": "1", "cache_read_image_token": "5"}))
    usage = {"input_token": 10, "input_image_token": 6, "cache_read_image_token": 4}
    assert costs(engine, usage) == {"input_token": "6", "input_image_token": "0", "cache_read_image_token": "20"}


def test_the_prompt_is_the_input_or_where_it_is_not_given_the_sum_of_its_outermost_parts(engine: Engine) -> None:
    store(engine, tariff({"request": {0: "1", 200_000: "2"}}))
    usages = (
        {"input_token": 199_999, "input_image_token": 199_999},
        {"input_image_token": 150_000, "cache_read_image_token": 100_000, "cache_write_5m_token": 49_999},
        {"input_image_token": 150_000, "cache_read_image_token": 100_000, "cache_write_5m_token": 50_000},
        {"cache_read_image_token": 200_000, "output_token": 1},
        {"output_token": 900_000},
    )
    assert [costs(engine, usage | {"request": 1})["request"] for usage in usages] == ["1", "1", "2", "2", "1"]
