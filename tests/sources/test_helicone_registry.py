"""What the golden catalogs of Helicone's registry do not show well: trust between forms, blame, scopes, refusals."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from etl.domain.catalog import Author, Catalog, Provider, Quarantined, Scope
from etl.domain.meters import Meter, PriceState
from etl.domain.snapshot import Page
from etl.errors import ContractError
from etl.sources.base import Recourse
from etl.sources.helicone_registry import HeliconeRegistry
from tests.sources.fixtures import pages_of

SOURCE = HeliconeRegistry()
WHOLE = Scope(model_id="gpt-5", provider="openai", region="*", plan="standard")


def page(body: Any, status: int = 200) -> Page:
    return Page(
        number=1, url="test", status=status, body=json.dumps(body).encode(), fetched_at=datetime(2026, 1, 1, tzinfo=UTC)
    )


def catalog_of(*models: Any, **data: Any) -> Catalog:
    return SOURCE.read([page({"data": {"models": models, **data}, "error": None})])


def endpoint_with(*tiers: Any, **fields: Any) -> dict[str, Any]:
    return {"provider": "openai", "endpoint": {"pricing": list(tiers)}, **fields}


def priced(*endpoints: Any) -> Catalog:
    return catalog_of({"id": "gpt-5", "endpoints": endpoints})


def prices(catalog: Catalog, tier_start: int = 0) -> dict[Meter, Decimal | None]:
    return {price.meter: price.quote.unit_price for price in catalog.prices if price.tier_start == tier_start}


def only(catalog: Catalog) -> Quarantined:
    (entry,) = catalog.quarantined
    return entry


def reversed_everywhere(value: Any) -> Any:
    match value:
        case dict():
            return {key: reversed_everywhere(item) for key, item in reversed(value.items())}
        case list():
            return [reversed_everywhere(item) for item in reversed(value)]
        case _:
            return value


@pytest.mark.parametrize("scenario", ["tiers", "modalities", "early"])
def test_the_order_of_lists_and_keys_means_nothing(scenario: str) -> None:
    pages = pages_of("helicone_registry", scenario)
    there = SOURCE.read(pages)
    back = SOURCE.read([page(reversed_everywhere(json.loads(pages[0].body)))])
    for relation in ("models", "endpoints", "prices", "providers", "authors", "unmapped"):
        assert same(getattr(there, relation) or (), getattr(back, relation) or ())


def same(records: Sequence[Any], others: Sequence[Any]) -> bool:
    return len(records) == len(others) and all(record in others for record in records)


def test_the_lossless_form_is_believed_where_the_two_disagree() -> None:
    catalog = priced(endpoint_with({"input": 2e-6}, pricing={"prompt": 99, "completion": 99}))
    assert prices(catalog) == {Meter.INPUT_TOKEN: Decimal("0.000002")}


@pytest.mark.parametrize("inner", [{}, {"pricing": []}, {"pricing": None}, {"modelConfig": {"pricing": []}}])
def test_the_simplified_form_counts_where_the_other_has_no_tiers(inner: dict[str, Any]) -> None:
    catalog = priced({"provider": "openai", "endpoint": inner, "pricing": {"prompt": 0.30000000000000004}})
    assert prices(catalog) == {Meter.INPUT_TOKEN: Decimal("0.0000003")}


def test_pricing_tiers_without_a_base_tier_stand_on_pricing() -> None:
    tiers = [{"prompt": 6, "threshold": 200_000}]
    catalog = priced({"provider": "openai", "pricing": {"prompt": 3, "completion": 15}, "pricingTiers": tiers})
    assert prices(catalog) == {Meter.INPUT_TOKEN: Decimal("0.000003"), Meter.OUTPUT_TOKEN: Decimal("0.000015")}
    assert prices(catalog, 200_000) == {Meter.INPUT_TOKEN: Decimal("0.000006"), Meter.OUTPUT_TOKEN: Decimal("0.000015")}


def test_a_stray_instead_of_pricing_tiers_carries_on_the_prices_of_its_endpoint() -> None:
    catalog = priced({"provider": "openai", "pricing": {"prompt": 3}, "pricingTiers": "by size"})
    assert prices(catalog) == {Meter.INPUT_TOKEN: Decimal("0.000003")}
    assert only(catalog).scopes == (WHOLE,)


def test_zero_is_free_and_null_is_not_published() -> None:
    catalog = priced(endpoint_with({"input": 0, "output": None, "cacheMultipliers": {"cachedInput": 0.1}}))
    assert {price.meter: price.quote.state for price in catalog.prices} == {
        Meter.INPUT_TOKEN: PriceState.FREE,
        Meter.CACHE_READ_TOKEN: PriceState.FREE,
    }


def test_null_in_an_upper_tier_inherits_and_zero_does_not() -> None:
    catalog = priced(endpoint_with({"input": 1e-6, "output": 2e-6}, {"threshold": 9, "input": None, "output": 0}))
    assert prices(catalog, 9) == {Meter.INPUT_TOKEN: Decimal("0.000001"), Meter.OUTPUT_TOKEN: Decimal(0)}


def test_an_upper_tier_may_use_the_older_key_for_what_it_overrides() -> None:
    base = {"input": 1e-6, "cacheMultipliers": {"cachedInput": 0.5}}
    catalog = priced(endpoint_with(base, {"threshold": 9, "cacheMultipliers": {"read": 0.25}}))
    assert prices(catalog, 9)[Meter.CACHE_READ_TOKEN] == Decimal("0.00000025")


def test_an_image_and_a_token_of_an_image_are_never_the_same_component() -> None:
    catalog = priced(endpoint_with({"image": 0.005}, {"threshold": 9, "image": {"input": 1e-6}}))
    assert prices(catalog) == {Meter.INPUT_IMAGE: Decimal("0.005")}
    assert prices(catalog, 9) == {Meter.INPUT_IMAGE_TOKEN: Decimal("0.000001")}


@pytest.mark.parametrize("figure", [-1, -0.5, 1e13, "abc", "", "NaN", float("nan"), float("inf"), True, [], {"usd": 1}])
def test_a_figure_that_is_no_price_is_set_aside_alone(figure: Any) -> None:
    catalog = priced(endpoint_with({"input": 1e-6, "output": figure}))
    assert prices(catalog) == {Meter.INPUT_TOKEN: Decimal("0.000001")}
    assert only(catalog).pointer == "/data/models/0/endpoints/0/endpoint/pricing/0/output"
    assert only(catalog).scopes == (replace(WHOLE, meter=Meter.OUTPUT_TOKEN, tier_start=0),)


def test_a_broken_input_carries_on_every_price_made_of_it() -> None:
    base = {"input": -1, "cacheMultipliers": {"cachedInput": 0, "write1h": 2}}
    catalog = priced(endpoint_with(base, {"threshold": 9, "output": 1e-6}, {"threshold": 99, "input": 1e-6}))
    assert set(only(catalog).scopes) == {
        replace(WHOLE, meter=meter, tier_start=tier_start)
        for meter in (Meter.INPUT_TOKEN, Meter.CACHE_READ_TOKEN, Meter.CACHE_WRITE_1H_TOKEN)
        for tier_start in (0, 9)
    }
    assert prices(catalog, 99)[Meter.CACHE_WRITE_1H_TOKEN] == Decimal("0.000002")


@pytest.mark.parametrize("multiplier", [-0.1, 1e13, "half", None])
def test_a_broken_multiplier_leaves_the_input_alone(multiplier: Any) -> None:
    catalog = priced(endpoint_with({"input": 0, "cacheMultipliers": {"cachedInput": multiplier}}))
    assert prices(catalog) == {Meter.INPUT_TOKEN: Decimal(0)}
    assert len(catalog.quarantined) == (multiplier is not None)


def test_a_multiplier_without_an_input_is_quarantined_with_the_price_it_would_have_given() -> None:
    catalog = priced(endpoint_with({"output": 1e-6, "cacheMultipliers": {"write5m": 1.25}}))
    assert only(catalog).reason == "a multiplier, but there is no price of input_token to multiply"
    assert only(catalog).scopes == (replace(WHOLE, meter=Meter.CACHE_WRITE_5M_TOKEN, tier_start=0),)


@pytest.mark.parametrize("stray", ["on request", [], True])
def test_what_stands_where_an_object_should_carries_on_all_that_the_object_prices(stray: Any) -> None:
    catalog = priced(endpoint_with({"input": 1e-6, "cacheMultipliers": stray}))
    meters = {Meter.CACHE_READ_TOKEN, Meter.CACHE_WRITE_5M_TOKEN, Meter.CACHE_WRITE_1H_TOKEN}
    assert {scope.meter for scope in only(catalog).scopes} == meters


@pytest.mark.parametrize("threshold", [-1, 0.5, "many", True, 1e30])
def test_a_tier_without_a_readable_threshold_carries_on_the_prices_of_its_endpoint(threshold: Any) -> None:
    catalog = priced(endpoint_with({"input": 1e-6}, {"threshold": threshold, "input": 9}))
    assert prices(catalog) == {Meter.INPUT_TOKEN: Decimal("0.000001")}
    assert only(catalog).scopes == (WHOLE,)


def test_of_two_tiers_with_one_threshold_the_second_changes_nothing() -> None:
    catalog = priced(endpoint_with({"threshold": 0.0, "input": 1e-6}, {"input": 9, "output": 9}))
    assert prices(catalog) == {Meter.INPUT_TOKEN: Decimal("0.000001")}
    assert only(catalog).scopes == ()


def test_of_two_endpoints_with_one_key_the_second_changes_nothing() -> None:
    catalog = priced(endpoint_with({"input": 1e-6}), endpoint_with({"input": 9, "output": 9}))
    assert prices(catalog) == {Meter.INPUT_TOKEN: Decimal("0.000001")}
    assert only(catalog).pointer == "/data/models/0/endpoints/1"
    assert only(catalog).scopes == ()


def test_of_two_models_with_one_id_the_second_changes_nothing() -> None:
    second = {"id": "gpt-5", "name": "again", "endpoints": [endpoint_with({"output": 9})]}
    catalog = catalog_of({"id": "gpt-5", "endpoints": [endpoint_with({"input": 1e-6})]}, second)
    assert [model.name for model in catalog.models] == [None]
    assert prices(catalog) == {Meter.INPUT_TOKEN: Decimal("0.000001")}
    assert only(catalog).scopes == ()


@pytest.mark.parametrize("record", [{}, {"id": None}, {"id": 5}, {"id": ""}, None, "gpt-5", []])
def test_a_model_without_an_id_makes_the_snapshot_only_add(record: Any) -> None:
    catalog = catalog_of(record, {"id": "o3", "endpoints": []})
    assert [model.model_id for model in catalog.models] == ["o3"]
    assert only(catalog).scopes == (Scope(),)


@pytest.mark.parametrize("field", [{"contextLength": 1e30}, {"contextLength": 0.5}, {"name": 5}, {"author": []}])
def test_a_model_with_an_impossible_attribute_is_carried_on_whole(field: dict[str, Any]) -> None:
    catalog = catalog_of({"id": "gpt-5", "endpoints": [], **field})
    assert catalog.models == ()
    assert only(catalog).scopes == (Scope(model_id="gpt-5"),)


def test_a_model_without_a_list_of_endpoints_keeps_those_it_had() -> None:
    catalog = catalog_of({"id": "gpt-5"})
    assert [model.model_id for model in catalog.models] == ["gpt-5"]
    assert only(catalog).scopes == (Scope(model_id="gpt-5"),)


@pytest.mark.parametrize(
    ("endpoint", "provider", "region"),
    [
        ({"endpoint": {}}, None, "*"),
        ({"provider": "", "endpoint": {"userConfig": {"region": "eu"}}}, None, "eu"),
        ({"provider": "azure", "endpoint": "none"}, "azure", None),
        ({"provider": "azure", "endpoint": {"userConfig": {"region": 3}}}, "azure", None),
        ({"provider": "azure", "endpoint": {"quantization": 4}}, "azure", "*"),
        ("azure", None, None),
    ],
)
def test_an_unreadable_endpoint_hides_neither_its_model_nor_the_others(
    endpoint: Any, provider: str | None, region: str | None
) -> None:
    catalog = priced(endpoint, endpoint_with({"input": 1e-6}))
    assert prices(catalog) == {Meter.INPUT_TOKEN: Decimal("0.000001")}
    assert only(catalog).scopes == (Scope(model_id="gpt-5", provider=provider, region=region),)


def test_a_price_field_without_a_meter_is_counted_wherever_it_stands() -> None:
    tier = {"input": 1e-6, "training": 5, "cacheMultipliers": {"write24h": 3, "none": None}, "none": None}
    catalog = priced(endpoint_with(tier, {**tier, "threshold": 9}), {"provider": "azure", "pricing": {"training": 7}})
    assert {field.field: (field.count, field.example) for field in catalog.unmapped} == {
        "pricing.training": (3, 5),
        "pricing.cacheMultipliers.write24h": (2, 3),
    }


def test_a_model_that_needs_a_key_of_ones_own_is_told_from_one_of_which_nothing_is_said() -> None:
    flags = [
        {"provider": "a", "supportsPtb": False},
        {"provider": "b", "endpoint": {"ptbEnabled": False}},
        {"provider": "c"},
    ]
    assert [endpoint.is_ptb for endpoint in priced(*flags).endpoints] == [False, False, None]


def test_a_release_date_may_be_naive_or_unknown_but_never_a_crash() -> None:
    dates = ["2025-08-07T00:00:00", "2024-01-01T00:00:00.000Z", "0001-01-01T00:00:00+14:00", "soon", None]
    models: list[Any] = [{"id": f"m{index}", "trainingDate": date, "endpoints": []} for index, date in enumerate(dates)]
    released = [model.released_at for model in catalog_of(*models).models]
    assert released == [datetime(2025, 8, 7, tzinfo=UTC), None, None, None, None]


def test_providers_and_authors_are_known_only_where_the_snapshot_lists_them() -> None:
    names = {"providers": [{"name": "xai", "displayName": "xAI"}], "authors": ["xai"]}
    listed = catalog_of(filters=names)
    assert listed.providers == (Provider(provider="xai", display_name="xAI"),)
    assert listed.authors == (Author(author="xai"),)
    for silent in (catalog_of(), catalog_of(filters=None), catalog_of(filters={"authors": ["xai"]})):
        assert (silent.providers, silent.authors) == (None, None)


@pytest.mark.parametrize("total", [0, 2, "1"])
def test_a_total_that_disagrees_can_add_but_never_end(total: Any) -> None:
    pages = [page({"data": {"models": [{"id": "o3", "endpoints": []}], "total": total}})]
    assert SOURCE.coverage(pages) == SOURCE.parse(pages).coverage == SOURCE.read(pages).coverage
    assert SOURCE.coverage(pages).reason == f"total says {total}, 1 came"


@pytest.mark.parametrize("data", [{}, {"total": 0}, {"total": None}])
def test_an_empty_catalog_is_readable_and_complete(data: dict[str, Any]) -> None:
    assert catalog_of(**data) == Catalog()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"data": None, "error": "timeout"}, "an error instead of models: 'timeout'"),
        ({"data": {"models": []}, "error": "partial"}, "an error instead of models: 'partial'"),
        ({"error": "Too many requests"}, "an error instead of models: 'Too many requests'"),
        ({"data": {}, "error": None}, r"no `data.models`, only the keys \['data', 'error'\]"),
        ({"models": []}, r"no `data.models`, only the keys \['models'\]"),
        ({"data": {"models": {"o3": {}}}}, "`data.models` that is no list"),
        ([], "no object with `data`"),
    ],
)
def test_a_body_that_is_no_catalog_says_what_came(body: Any, message: str) -> None:
    for read in (SOURCE.parse, SOURCE.coverage):
        with pytest.raises(ContractError, match=message):
            read([page(body)])


def test_a_refusal_quotes_the_gateway() -> None:
    refusal = SOURCE.refusal(page({"error": "Too many requests, please try again later."}, 429))
    assert refusal.recourse is Recourse.RETRY
    assert refusal.message == "HTTP 429: Too many requests, please try again later."
    assert SOURCE.complaint(page({"data": None, "error": "database down"}, 500)) == "database down"
    assert SOURCE.complaint(page({"data": None}, 500)) is None
