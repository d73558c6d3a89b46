"""What one model costs at every gateway and provider, side by side."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, text

from tests.database.roles import as_owner
from tests.mart.comparing import gateways, offer, rows


def comparison(engine: Engine, canonical_id: str) -> dict[tuple[str, str], Any]:
    found = rows(engine, "SELECT * FROM mart.price_comparison WHERE canonical_id = :id", id=canonical_id)
    return {(row.source, row.provider): row for row in found}


def test_ids_of_different_gateways_are_compared_as_one_model(engine: Engine) -> None:
    gateways(
        engine,
        near={"anthropic/claude-opus-4-5": offer(**{"in": "5", "out": "25", "read": "0.5", "write": "6.25"})},
        far={"openrouter/anthropic/claude-4.5-opus": offer(**{"in": "10", "out": "50"})},
    )
    found = comparison(engine, "anthropic/claude-opus-4.5")
    near, far = found["near", "anthropic"], found["far", "openrouter"]
    assert (near.input_usd_per_million, near.output_usd_per_million) == (5, 25)
    assert (near.cache_read_usd_per_million, near.cache_write_usd_per_million) == (Decimal("0.5"), Decimal("6.25"))
    assert (near.blended_usd_per_million, near.rank, near.spread) == (10, 1, 2)
    assert (far.blended_usd_per_million, far.rank, far.spread) == (20, 2, 2)
    assert far.cache_read_usd_per_million is None


def test_the_cheapest_endpoint_of_a_provider_stands_for_it(engine: Engine) -> None:
    dated = offer(**{"in": "1", "out": "1"})
    gateways(engine, one={"openai/gpt-5": offer(**{"in": "2", "out": "2"}), "openai/gpt-5-2025-08-07": dated})
    [row] = comparison(engine, "openai/gpt-5").values()
    assert (row.model_id, row.offers, row.blended_usd_per_million) == ("openai/gpt-5-2025-08-07", 2, 1)


def test_free_is_nothing_to_pay_and_ranked_first(engine: Engine) -> None:
    gateways(
        engine,
        one={"openai/o3": offer(**{"in": "0", "out": "0"})},
        two={"azure/o3": offer(**{"in": "1", "out": "1"})},
    )
    found = comparison(engine, "openai/o3")
    free, paid = found["one", "openai"], found["two", "azure"]
    assert (free.price_state, free.blended_usd_per_million, free.rank, free.spread) == ("free", 0, 1, None)
    assert (paid.price_state, paid.rank) == ("priced", 2)


def test_what_varies_or_is_not_published_is_never_nothing_and_never_ranked(engine: Engine) -> None:
    gateways(
        engine,
        one={"openai/o3": offer(**{"in": "-1", "out": "-1"})},
        two={"openai/o3": offer()},
        three={"openai/o3": offer(**{"in": "2"})},
        four={"openai/o3": offer(**{"in": "1", "out": "1"})},
    )
    found = {source: row for (source, _), row in comparison(engine, "openai/o3").items()}
    states = {source: (row.price_state, row.blended_usd_per_million, row.rank) for source, row in found.items()}
    assert states == {
        "one": ("dynamic", None, None),
        "two": ("unpriced", None, None),
        "three": ("priced", None, None),
        "four": ("priced", 1, 1),
    }
    assert (found["two"].input_usd_per_million, found["three"].input_usd_per_million) == (None, 2)


def test_prices_without_a_rate_stay_visible_without_dollars(engine: Engine) -> None:
    gateways(engine, one={"openai/o3": offer(**{"in": "1", "out": "1"})})
    with as_owner(engine).begin() as connection:
        connection.execute(text("UPDATE core.price SET currency = 'EUR'"))
    [row] = comparison(engine, "openai/o3").values()
    assert (row.currency, row.price_state) == ("EUR", "priced")
    assert (row.input_usd_per_million, row.blended_usd_per_million, row.rank) == (None, None, None)


def test_models_that_cannot_be_linked_stay_visible_one_by_one_and_unranked(engine: Engine) -> None:
    gateways(
        engine,
        one={
            "groq/one-of-ours": offer(**{"in": "1", "out": "1"}),
            "groq/another-one": offer(**{"in": "2", "out": "2"}),
        },
    )
    with engine.begin() as connection:
        connection.execute(text("UPDATE core.model_link SET canonical_id = NULL, method = 'unlinked'"))
    found = rows(engine, "SELECT * FROM mart.price_comparison ORDER BY model_id")
    assert [(row.canonical_id, row.model_id, row.rank, row.spread, row.offers) for row in found] == [
        (None, "groq/another-one", None, None, 1),
        (None, "groq/one-of-ours", None, None, 1),
    ]


def test_other_plans_and_higher_tiers_are_no_base_offers(engine: Engine) -> None:
    gateways(engine, one={"openai/o3": offer(**{"in": "2", "out": "2"})})
    copied = "source, model_id, provider, region, meter, currency, price_state, valid_from, known_from"
    with engine.begin() as connection:
        connection.execute(
            text(
                f"INSERT INTO core.price ({copied}, plan, tier_start, unit_price)"
                f" SELECT {', '.join('p.' + name for name in copied.split(', '))}, o.plan, o.start, o.price"
                " FROM core.price p,"
                " (VALUES ('batch', 0, 9e-6), ('standard', 1000, 8e-6), ('flex', 0, 1e-6)) o (plan, start, price)"
            )
        )
    [row] = comparison(engine, "openai/o3").values()
    assert (row.blended_usd_per_million, row.offers) == (2, 1)


def test_the_cheapest_offer_of_each_meter_is_told_with_the_dearest(engine: Engine) -> None:
    gateways(
        engine,
        one={"openai/o3": offer(**{"in": "1", "out": "9"}), "azure/o3": offer(**{"in": "4", "out": "4"})},
        two={"openai/o3": offer(**{"in": "2", "out": "2", "read": "0.1"})},
        three={"openai/o3": offer(**{"in": "-1"})},
    )
    found = {row.meter: row for row in rows(engine, "SELECT * FROM mart.cheapest WHERE canonical_id = 'openai/o3'")}
    told = {
        meter: (row.source, row.provider, row.usd_per_million, row.dearest_usd_per_million, row.sources, row.offers)
        for meter, row in found.items()
    }
    assert told == {
        "input_token": ("one", "openai", 1, 4, 2, 3),
        "output_token": ("two", "openai", 2, 9, 2, 3),
        "cache_read_token": ("two", "openai", Decimal("0.1"), Decimal("0.1"), 1, 1),
        "blended": ("two", "openai", 2, 4, 2, 3),
    }
