"""What prices are made of: the figures that each source cites for them, and how finely a body writes prices."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from etl.domain.catalog import Catalog, Coverage, Price
from etl.domain.evidence import AS_QUOTED, TO_A_DOUBLE, TO_NINE_DECIMALS, Citation, Evidence, price_of
from etl.domain.meters import DYNAMIC, AmountError, Meter, quote
from etl.domain.snapshot import Page
from etl.sources.base import Place
from etl.sources.collect import Collector
from etl.sources.registry import kinds


def read(kind: str, *bodies: Any) -> Catalog:
    pages = (
        Page(
            number=number,
            url="p",
            status=200,
            body=(body if isinstance(body, str) else json.dumps(body)).encode(),
            fetched_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        for number, body in enumerate(bodies, 1)
    )
    return kinds()[kind]().read(tuple(pages))


def evidence(catalog: Catalog, meter: Meter, tier_start: int = 0) -> Evidence:
    [found] = [price for price in catalog.prices if (price.meter, price.tier_start) == (meter, tier_start)]
    assert found.evidence is not None
    return found.evidence


def helicone(*tiers: dict[str, Any], **simplified: Any) -> Catalog:
    endpoint = {"provider": "openai", "endpoint": {"pricing": list(tiers)}} | simplified
    return read("helicone_registry", {"data": {"models": [{"id": "gpt-4o", "endpoints": [endpoint]}]}})


LOSSLESS = "/data/models/0/endpoints/0/endpoint/pricing"


GPT = {"id": "openai/gpt-4o", "pricing": {"prompt": "0.0000025000"}}


def test_a_price_is_equal_to_one_that_was_read_elsewhere() -> None:
    first, second = (read("bifrost", {"data": rows}).prices[-1] for rows in ([GPT], [{"id": "openai/o3"}, GPT]))
    assert isinstance(first, Price)
    assert first.evidence != second.evidence
    assert first == second
    assert hash(first) == hash(second)


def test_a_bifrost_price_cites_its_string_on_its_page() -> None:
    found = evidence(read("bifrost", {"data": [], "next_page_token": "t"}, {"data": [GPT]}), Meter.INPUT_TOKEN)
    assert found == Evidence(2, (Citation("/data/0/pricing/prompt", Meter.INPUT_TOKEN),), 1, AS_QUOTED)


def test_a_multiplied_price_cites_the_price_of_its_tier_and_the_inherited_multiplier() -> None:
    catalog = helicone(
        {"input": 1e-6, "cacheMultipliers": {"cachedInput": 0.1}},
        {"threshold": 200000, "input": 2e-6},
    )
    own = Citation(f"{LOSSLESS}/1/input", Meter.INPUT_TOKEN, 200000)
    inherited = Citation(f"{LOSSLESS}/0/cacheMultipliers/cachedInput", Meter.CACHE_READ_TOKEN, 0)
    assert evidence(catalog, Meter.CACHE_READ_TOKEN, 200000).citations == (own, inherited)
    assert evidence(catalog, Meter.INPUT_TOKEN, 200000).citations == (own,)


def test_an_inherited_price_cites_the_tier_it_stands_in() -> None:
    catalog = helicone({"input": 1e-6, "output": 4e-6}, {"threshold": 200000, "input": 2e-6})
    [cited] = evidence(catalog, Meter.OUTPUT_TOKEN, 200000).citations
    assert cited == Citation(f"{LOSSLESS}/0/output", Meter.OUTPUT_TOKEN, 0)


def test_the_simplified_form_is_cited_per_million_and_out_of_doubles() -> None:
    found = evidence(helicone(pricing={"prompt": 0.30000000000000004}), Meter.INPUT_TOKEN)
    pointer = "/data/models/0/endpoints/0/pricing/prompt"
    assert found == Evidence(1, (Citation(pointer, Meter.INPUT_TOKEN),), 1_000_000, TO_A_DOUBLE)


def test_a_majestix_price_cites_its_cost_per_thousand() -> None:
    catalog = read("majestix", [{"id": "gpt-4o", "cost_per_1k_input": 4.199999999999999}])
    found = evidence(catalog, Meter.INPUT_TOKEN)
    assert found == Evidence(1, (Citation("/0/cost_per_1k_input", Meter.INPUT_TOKEN),), 1000, TO_NINE_DECIMALS)


def phaseo(**model: Any) -> Catalog:
    return read("phaseo", {"models": [{"model_id": "m", **model}], "total": 1, "offset": 0})


def test_a_phaseo_meter_cites_its_unit_size_beside_its_price() -> None:
    entry = {"price_per_unit": "2.5", "unit_size": 1_000_000}
    found = evidence(phaseo(pricing_detail={"meters": {"input_text_tokens": entry}}), Meter.INPUT_TOKEN)
    home = "/models/0/pricing_detail/meters/input_text_tokens"
    cited = (Citation(f"{home}/price_per_unit", Meter.INPUT_TOKEN),)
    assert found == Evidence(1, cited, f"{home}/unit_size", TO_A_DOUBLE)


def test_a_phaseo_string_is_cited_out_of_doubles() -> None:
    found = evidence(phaseo(pricing_detail={"meters": {}}, pricing={"prompt": "0.1"}), Meter.INPUT_TOKEN)
    pointer = "/models/0/pricing/prompt"
    assert found == Evidence(1, (Citation(pointer, Meter.INPUT_TOKEN),), 1, TO_A_DOUBLE)


def test_evidence_computes_as_sources_do() -> None:
    assert price_of(["-1"], per=1, rounding=AS_QUOTED) == DYNAMIC
    assert str(price_of(["0.25", 2], per=1000, rounding=AS_QUOTED).unit_price) == "0.0005"
    assert str(price_of(["4.199999999999999"], per="1000", rounding=TO_NINE_DECIMALS).unit_price) == "0.0042"
    with pytest.raises(AmountError):
        price_of(["-1", 2], per=1, rounding=AS_QUOTED)


@pytest.mark.parametrize(
    ("figures", "decimals"),
    [
        (["0.000010"], 6),
        (["0.5", "0.25", "3"], 2),
        (["2.5e-06"], 7),
        (["7"], 0),
        ([7], 0),
        ([0.125], 3),
        (["1E+2"], 0),
        (["0.0000", "-1"], None),
        (["0.00000", "1.5"], 1),
        (["nonsense"], None),
        ([], None),
    ],
)
def test_the_decimals_of_a_body_are_those_of_its_finest_price_as_it_is_written(
    figures: list[Any], decimals: Any
) -> None:
    rows = [{"id": f"openai/m{number}", "pricing": {"prompt": raw}} for number, raw in enumerate(figures)]
    assert read("bifrost", {"data": rows}).decimals == decimals


def test_only_figures_per_single_unit_tell_decimals() -> None:
    assert helicone({"input": 1.25e-6, "cacheMultipliers": {"cachedInput": 0.10000000001}}).decimals == 8
    assert helicone(pricing={"prompt": 0.125}).decimals is None
    assert read("majestix", [{"id": "m", "cost_per_1k_input": 0.125}]).decimals is None
    entry = {"price_per_unit": "2.5", "unit_size": 1_000_000}
    assert phaseo(pricing_detail={"meters": {"input_text_tokens": entry}}).decimals is None


def test_a_figure_that_had_to_be_rounded_tells_no_decimals() -> None:
    noisy = {"prompt": "0.30000000000000004"}
    assert phaseo(pricing_detail={"meters": {}}, pricing=noisy).decimals is None
    assert phaseo(pricing_detail={"meters": {}}, pricing=noisy | {"completion": "0.50"}).decimals == 2


def test_a_price_that_is_not_kept_tells_no_decimals() -> None:
    tray = Collector()
    for figure in ("0.5", "0.12345"):
        price = Price(model_id="m", provider="p", meter=Meter.INPUT_TOKEN, quote=quote(Decimal(figure)))
        tray.price(price, Place(1), figure)
    assert tray.build(Coverage()).decimals == 1
