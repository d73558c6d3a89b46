"""Phaseo's offers: one endpoint for each provider, the prices of all its plans, and figures out of doubles."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from etl.domain.catalog import Catalog
from etl.domain.snapshot import Page
from etl.sources.phaseo import Phaseo

MODEL = "openai/gpt-5.4"


def offer(plan: str | None, price: str, provider: str = "openai", **more: Any) -> dict[str, Any]:
    """An offer of one plan at so much for a million input tokens."""
    meters = {"input_text_tokens": {"unit_size": 1_000_000, "price_per_unit": price, "currency": "USD"}}
    return {"provider": {"id": provider}, "pricing": {"pricing_plan": plan, "meters": meters}} | more


def catalog(offers: Sequence[dict[str, Any]]) -> Catalog:
    body = {"limit": 250, "offset": 0, "total": 1, "models": [{"id": MODEL, "offers": list(offers)}]}
    now = datetime(2026, 11, 1, tzinfo=UTC)
    return Phaseo().read(
        [Page(number=1, url="page-001.json", status=200, body=json.dumps(body).encode(), fetched_at=now)]
    )


def prices(found: Catalog) -> dict[tuple[str, str], Decimal | None]:
    return {(price.provider, price.plan): price.quote.unit_price for price in found.prices}


PLANS = [
    offer("standard", "2.5", model="gpt-5.4"),
    offer("flex", "1.25", model="gpt-5.4", endpoints=["flex"]),
    offer("priority", "5", model="gpt-5.4-fast"),
    offer("standard", "2.75", "azure"),
]


def test_the_plans_of_one_provider_are_prices_of_one_endpoint() -> None:
    found = catalog(PLANS)
    assert prices(found) == {
        ("openai", "standard"): Decimal("0.0000025"),
        ("openai", "flex"): Decimal("0.00000125"),
        ("openai", "priority"): Decimal("0.000005"),
        ("azure", "standard"): Decimal("0.00000275"),
    }
    assert sorted(endpoint.provider for endpoint in found.endpoints) == ["azure", "openai"]
    assert found.quarantined == ()


def test_the_order_of_the_offers_changes_nothing() -> None:
    first = catalog(PLANS)
    for order in permutations(PLANS):
        found = catalog(order)
        assert prices(found) == prices(first)
        assert {each.provider: each for each in found.endpoints} == {each.provider: each for each in first.endpoints}
        assert found.quarantined == ()


def test_the_endpoint_is_as_the_standard_offer_says_and_keeps_what_other_plans_add() -> None:
    [endpoint] = catalog(PLANS[:3]).endpoints
    assert endpoint.provider_model_id == "gpt-5.4"
    assert endpoint.extra == {"plans": {"flex": {"endpoints": ["flex"]}, "priority": {"model": "gpt-5.4-fast"}}}


def test_without_a_standard_offer_the_endpoint_is_as_the_first_plan_by_name_says() -> None:
    for order in permutations(PLANS[1:3]):
        [endpoint] = catalog(order).endpoints
        assert (endpoint.provider_model_id, endpoint.extra) == (
            "gpt-5.4",
            {"endpoints": ["flex"], "plans": {"priority": {"model": "gpt-5.4-fast"}}},
        )


def test_of_two_offers_with_one_provider_and_plan_the_second_changes_nothing() -> None:
    found = catalog([offer("flex", "1.25"), offer("standard", "2.5"), offer("flex", "9"), offer(None, "8")])
    assert prices(found) == {("openai", "flex"): Decimal("0.00000125"), ("openai", "standard"): Decimal("0.0000025")}
    assert [(each.pointer, each.scopes) for each in found.quarantined] == [
        ("/models/0/offers/2", ()),
        ("/models/0/offers/3", ()),
    ]


@pytest.mark.parametrize(
    ("quoted", "unit_price"),
    [
        ("0.7499999999999999", "0.00000075"),
        ("0.7500000000000001", "0.00000075"),
        ("0.26900000000000002", "0.000000269"),
        ("5.999999999999999", "0.000006"),
        ("0.123456789012345", "0.000000123456789012345"),
    ],
)
def test_a_figure_with_more_digits_than_a_double_keeps_is_rounded_to_fifteen(quoted: str, unit_price: str) -> None:
    [price] = catalog([offer("standard", quoted)]).prices
    assert price.quote.unit_price == Decimal(unit_price)
