"""What the golden catalogs of Majestix do not show well: rounding, credits, three envelopes, waits in bodies."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from etl.domain.catalog import Catalog, Scope
from etl.domain.meters import CREDIT, Meter, PriceState
from etl.domain.snapshot import Page
from etl.errors import ContractError
from etl.sources.base import Recourse
from etl.sources.majestix import Majestix

SOURCE = Majestix()


def page(body: Any, status: int = 200) -> Page:
    return Page(
        number=1, url="test", status=status, body=json.dumps(body).encode(), fetched_at=datetime(2026, 1, 1, tzinfo=UTC)
    )


def catalog_of(*models: Any) -> Catalog:
    return SOURCE.read([page({"models": models})])


@pytest.mark.parametrize(
    ("cost", "unit_price"),
    [
        (4.199999999999999, "0.0042"),
        (34.99999999999999, "0.035"),
        ("2.4499999999999997", "0.00245"),
        (0.0000000005, "0"),
        (0.0000000015, "0.000000000002"),
        (1e15, "1000000000000"),
    ],
)
def test_a_cost_is_rounded_to_nine_decimals_and_then_divided_by_a_thousand(cost: Any, unit_price: str) -> None:
    (price,) = catalog_of({"id": "gpt-5", "provider": "openai", "cost_per_1k_input": cost}).prices
    assert (price.quote.unit_price, price.currency) == (Decimal(unit_price), CREDIT)


def test_zero_is_free_and_a_missing_cost_is_unpriced() -> None:
    catalog = catalog_of({"id": "gpt-5", "cost_per_1k_input": 0}, {"id": "o3", "cost_per_1k_input": None})
    assert [(price.model_id, price.quote.state) for price in catalog.prices] == [("gpt-5", PriceState.FREE)]
    assert len(catalog.endpoints) == len(catalog.models) == 2


@pytest.mark.parametrize("cost", [-1, 1e16, "on request", float("nan"), True, {}])
def test_a_cost_that_is_no_price_is_set_aside_alone(cost: Any) -> None:
    model = {"id": "gpt-5", "provider": "openai", "cost_per_1k_input": cost, "cost_per_1k_output": 10}
    catalog = catalog_of(model)
    assert [price.meter for price in catalog.prices] == [Meter.OUTPUT_TOKEN]
    (entry,) = catalog.quarantined
    assert entry.pointer == "/models/0/cost_per_1k_input"
    assert entry.scopes == (
        Scope(model_id="gpt-5", provider="openai", region="*", plan="standard", meter=Meter.INPUT_TOKEN, tier_start=0),
    )


@pytest.mark.parametrize("provider", [{}, {"provider": None}, {"provider": ""}])
def test_a_model_that_names_no_provider_is_served_by_the_source(provider: dict[str, Any]) -> None:
    catalog = Majestix("resale").read([page([{"id": "gpt-5", "cost_per_1k_input": 1, **provider}])])
    assert [endpoint.provider for endpoint in catalog.endpoints] == ["resale"]
    assert [price.provider for price in catalog.prices] == ["resale"]


@pytest.mark.parametrize(("body", "pointer"), [({"models": [7]}, "/models/0"), ({"data": [7]}, "/data/0"), ([7], "/0")])
def test_three_envelopes_are_read_and_pointed_into(body: Any, pointer: str) -> None:
    (entry,) = SOURCE.read([page(body)]).quarantined
    assert entry.pointer == pointer


@pytest.mark.parametrize(
    ("record", "scope"),
    [
        ({"name": "Nobody"}, Scope()),
        ({"id": "", "key": None}, Scope()),
        ({"key": "o3", "context_window": "wide"}, Scope(model_id="o3")),
        ({"id": "o3", "provider": 5}, Scope(model_id="o3")),
    ],
)
def test_an_unreadable_model_carries_on_what_it_may_have_been(record: Any, scope: Scope) -> None:
    catalog = catalog_of(record, {"id": "gpt-5"})
    assert [model.model_id for model in catalog.models] == ["gpt-5"]
    assert [entry.scopes for entry in catalog.quarantined] == [(scope,)]


def test_of_two_models_with_one_id_the_second_changes_nothing() -> None:
    catalog = catalog_of({"id": "gpt-5"}, {"key": "gpt-5", "provider": "openai", "cost_per_1k_input": 9})
    assert (len(catalog.models), len(catalog.endpoints), catalog.prices) == (1, 1, ())
    assert [entry.scopes for entry in catalog.quarantined] == [()]


def test_the_order_of_models_means_nothing() -> None:
    models = [{"id": "gpt-5", "cost_per_1k_input": 1}, {"id": "o3", "provider": "openai", "cost_per_1k_output": 2}]
    there, back = catalog_of(*models), catalog_of(*reversed(models))
    for relation in ("models", "endpoints", "prices"):
        assert set(map(str, getattr(there, relation))) == set(map(str, getattr(back, relation)))


def test_another_cost_is_counted_as_unmapped_and_is_no_attribute() -> None:
    catalog = catalog_of(
        {"id": "gpt-5", "cost_per_image": 4, "cost_per_video": None}, {"id": "o3", "cost_per_image": 5}
    )
    assert [(field.field, field.count, field.example) for field in catalog.unmapped] == [("cost_per_image", 2, 4)]
    assert [dict(model.extra) for model in catalog.models] == [{}, {}]


def test_a_context_window_of_zero_is_kept_as_said() -> None:
    (model,) = catalog_of({"id": "seedream-4.5", "context_window": 0, "max_output_tokens": 0}).models
    assert (model.context_length, model.max_output_tokens) == (0, 0)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"detail": "Not Found"}, r"only the keys \['detail'\]"),
        ({"models": {}, "total": 0}, r"only the keys \['models', 'total'\]"),
        ("models", "neither a list nor an object: 'models'"),
    ],
)
def test_a_body_without_a_list_of_models_says_what_came(body: Any, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        SOURCE.parse([page(body)])


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"detail": "Invalid API key"}, "Invalid API key"),
        ({"detail": {"code": "RATE_LIMITED", "retry_after": 12}}, "RATE_LIMITED"),
        ({"detail": {"code": "QUOTA_EXCEEDED", "message": "No credits left"}}, "QUOTA_EXCEEDED: No credits left"),
        ({"detail": {}}, None),
        ({"detail": None}, None),
        ([], None),
    ],
)
def test_the_gateways_own_words_are_found(body: Any, complaint: str | None) -> None:
    assert SOURCE.complaint(page(body, 400)) == complaint


@pytest.mark.parametrize(
    ("wait", "seconds"), [(12, 12.0), (0.5, 0.5), ("7", 7.0), (None, None), (-1, None), ("soon", None), (True, None)]
)
def test_a_429_says_in_its_body_how_long_to_wait(wait: Any, seconds: float | None) -> None:
    refusal = SOURCE.refusal(page({"detail": {"code": "RATE_LIMITED", "retry_after": wait}}, 429))
    assert (refusal.recourse, refusal.retry_after) == (Recourse.RETRY, seconds)
    assert refusal.message == "HTTP 429: RATE_LIMITED"


def test_a_wrong_key_is_a_matter_of_access() -> None:
    refusal = SOURCE.refusal(page({"detail": "Invalid or missing API key"}, 401))
    assert (refusal.recourse, refusal.retry_after) == (Recourse.ACCESS, None)
