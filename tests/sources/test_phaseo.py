"""Phaseo: walks by offset, when a walk is believed, shapes told by keys, and errors."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from etl.domain.catalog import Scope
from etl.domain.meters import Meter
from etl.domain.snapshot import Page, PageRequest
from etl.errors import ContractError
from etl.sources.base import Recourse
from etl.sources.phaseo import Phaseo
from tests.sources.fixtures import pages_of


def page(body: Any, number: int = 1, status: int = 200) -> Page:
    """One reply; text stands as it is, anything else is sent as JSON."""
    raw = body if isinstance(body, str) else json.dumps(body)
    return Page(
        number=number,
        url=f"page-{number:03}.json",
        status=status,
        body=raw.encode(),
        fetched_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def listing(*ids: str | None, offset: int | None = 0, total: int | None = None) -> dict[str, Any]:
    """A page of documented models without prices; envelope keys that are null are left out."""
    models = [{"pricing_detail": None} | ({"id": name} if name else {}) for name in ids]
    envelope = {"limit": 250, "offset": offset, "total": total}
    return {"models": models} | {name: value for name, value in envelope.items() if value is not None}


def walk(*bodies: dict[str, Any]) -> tuple[Page, ...]:
    return tuple(page(body, number) for number, body in enumerate(bodies, 1))


def numbered(start: int, count: int) -> list[str]:
    return [f"qwen/qwen-{number}" for number in range(start, start + count)]


def offered(**meters: Any) -> tuple[Page, ...]:
    offer = {"provider": {"id": "groq"}, "pricing": {"meters": meters}}
    return walk({"limit": 250, "offset": 0, "total": 1, "models": [{"id": "qwen/qwen3-32b", "offers": [offer]}]})


def test_a_walk_begins_with_an_explicit_limit_and_offset() -> None:
    assert Phaseo().first_page() == PageRequest(path="/gateway/models", params=(("limit", "250"), ("offset", "0")))


@pytest.mark.parametrize(("page_size", "limit"), [(100, "100"), (1000, "250")])
def test_a_page_size_is_sent_as_far_as_the_server_allows(page_size: int, limit: str) -> None:
    assert Phaseo(page_size=page_size).first_page().params[0] == ("limit", limit)


def test_the_next_offset_counts_what_came_and_not_what_was_asked() -> None:
    following = Phaseo().next_page(page(listing(*numbered(0, 50), offset=100, total=464)))
    assert following is not None
    assert following.params == (("limit", "250"), ("offset", "150"))


@pytest.mark.parametrize(
    "body",
    [
        listing(*numbered(0, 3), offset=0, total=3),
        listing(offset=3, total=464),
        listing(*numbered(0, 3), offset=4998, total=9000),
    ],
    ids=["total reached", "page is empty", "offset would be refused"],
)
def test_a_walk_ends(body: dict[str, Any]) -> None:
    assert Phaseo().next_page(page(body)) is None


def test_an_offset_that_the_body_leaves_out_is_the_one_that_was_asked_for() -> None:
    asked = PageRequest(path="/gateway/models", params=(("limit", "250"), ("offset", "250")))
    following = Phaseo().next_page(replace(page(listing("openai/o3", offset=None)), request=asked))
    assert following is not None
    assert following.params[1] == ("offset", "251")


def test_a_walk_whose_pages_agree_is_complete() -> None:
    pages = walk(listing("a/1", "a/2", total=3), listing("a/3", offset=2, total=3))
    assert Phaseo().coverage(pages).is_complete


def test_an_empty_catalog_is_complete() -> None:
    assert Phaseo().coverage(walk(listing(total=0))).is_complete


def test_a_model_without_a_readable_id_still_counts_so_that_it_is_quarantined_and_not_missed() -> None:
    pages = walk(listing("a/1", None, total=2))
    catalog = Phaseo().read(pages)
    assert Phaseo().coverage(pages).is_complete
    assert not catalog.coverage.is_complete
    assert [entry.scopes for entry in catalog.quarantined] == [(Scope(),)]


@pytest.mark.parametrize(
    ("pages", "reason"),
    [
        (
            walk(listing("a/1", "a/2", total=3), listing("a/3", "a/4", offset=2, total=4)),
            "total changed from 3 to 4 on page 2",
        ),
        (
            walk(listing("a/1", "a/2", total=4), listing("a/2", "a/3", offset=2, total=4)),
            "1 ids of page 2 were on earlier pages: the list moved during the walk",
        ),
        (
            walk(listing("a/1", total=3), listing("a/3", offset=2, total=3)),
            "page 2 begins at offset 2 instead of 1: a page is missing or came twice",
        ),
        (
            walk(listing("a/2", offset=1, total=2)),
            "page 1 begins at offset 1 instead of 0: a page is missing or came twice",
        ),
        (walk(listing("a/1", "a/2", total=3)), "2 distinct ids of 3"),
        (walk(listing("a/1", "a/1", total=2)), "1 distinct ids of 2"),
    ],
)
def test_a_walk_that_contradicts_itself_proves_nothing(pages: tuple[Page, ...], reason: str) -> None:
    coverage = Phaseo().coverage(pages)
    assert (coverage.reason, coverage.is_contradictory, coverage.providers) == (reason, True, frozenset())


@pytest.mark.parametrize("totals", [(None, None), (2, None), (None, 2)])
def test_without_a_total_a_walk_is_incomplete(totals: tuple[int | None, int | None]) -> None:
    pages = walk(listing("a/1", total=totals[0]), listing("a/2", offset=1, total=totals[1]))
    coverage = Phaseo().coverage(pages)
    assert (coverage.is_complete, coverage.is_contradictory) == (False, False)


def test_a_catalog_beyond_the_offset_limit_is_incomplete_and_walking_again_would_not_help() -> None:
    pages = walk(listing(*numbered(0, 5000), total=6000), listing(*numbered(5000, 250), offset=5000, total=6000))
    coverage = Phaseo().coverage(pages)
    assert coverage.reason == "total 6000 is beyond the offset limit 5000: 5250 models came"
    assert not coverage.is_contradictory


def test_the_shape_is_told_by_keys_and_not_by_the_path() -> None:
    current = pages_of("phaseo", "current")
    assert Phaseo(path="/gateway/models").read(current) == Phaseo(path="/models").read(current)


def test_prices_that_name_nobody_hang_on_the_sources_own_name() -> None:
    catalog = Phaseo("mirror").read(pages_of("phaseo", "documented"))
    assert {price.model_id for price in catalog.prices if price.provider == "mirror"} == {
        "black-forest-labs/flux.1-pro",
        "meta/llama-3.1-8b",
    }


def test_two_spellings_of_one_meter_are_two_prices_when_two_providers_quote_them() -> None:
    entry = {"unit_size": 1, "price_per_unit": "1"}
    meters = {"input_text_tokens": entry | {"provider_id": "groq"}, "input_tokens": entry | {"provider_id": "novita"}}
    model = {"id": "qwen/qwen3-32b", "pricing_detail": {"meters": meters}}
    catalog = Phaseo().read(walk({"offset": 0, "total": 1, "models": [model]}))
    assert [(price.provider, price.meter) for price in catalog.prices] == [
        ("groq", Meter.INPUT_TOKEN),
        ("novita", Meter.INPUT_TOKEN),
    ]


def test_a_bad_price_is_carried_on_under_its_plan_and_meter() -> None:
    (entry,) = Phaseo().read(offered(web_search={"unit_size": 1000, "price_per_unit": "-10"})).quarantined
    key = Scope(
        model_id="qwen/qwen3-32b",
        provider="groq",
        region="*",
        plan="standard",
        meter=Meter.WEB_SEARCH,
        tier_start=0,
    )
    assert entry.pointer == "/models/0/offers/0/pricing/meters/web_search/price_per_unit"
    assert entry.scopes == (key,)


def test_a_bad_price_of_a_meter_keeps_the_rounded_strings_out() -> None:
    meters = {"input_text_tokens": {"provider_id": "groq", "unit_size": 0, "price_per_unit": "1"}}
    model = {"id": "qwen/qwen3-32b", "pricing": {"prompt": "1"}, "pricing_detail": {"meters": meters}}
    assert Phaseo().read(walk({"offset": 0, "total": 1, "models": [model]})).prices == ()


def test_a_price_times_ten_thousand_is_loaded_as_published() -> None:
    (price,) = Phaseo().read(offered(input_text_tokens={"unit_size": 1_000_000, "price_per_unit": "6000"})).prices
    assert str(price.quote.unit_price) == "0.006"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<html>", "HTML where JSON was expected"),
        ("404 Not Found", "no JSON"),
        ([], "no JSON object"),
        ({"data": [], "object": "list"}, "keys: data, object"),
        ({"models": None}, "no list `models`"),
        ({"ok": False, "error": "failed", "message": "Failed to load"}, "it says: Failed to load"),
        ({"models": [{"id": "openai/o3", "price": 1}]}, "keys: id, price"),
        ({"models": ["openai/o3"]}, "no objects"),
    ],
)
def test_a_foreign_body_says_what_came_and_names_the_setting(body: Any, words: str) -> None:
    with pytest.raises(ContractError) as caught:
        Phaseo().read((page(body),))
    assert words in str(caught.value)
    assert "check the setting `path`" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "body", "recourse", "message"),
    [
        (401, {"error": "unauthorised", "reason": "db_error"}, Recourse.RETRY, "unauthorised: db_error"),
        (401, {"error": "unauthorised", "reason": "key_not_found"}, Recourse.ACCESS, "unauthorised: key_not_found"),
        (403, {"error": "insufficient_scope"}, Recourse.ACCESS, "insufficient_scope"),
        (
            400,
            {"ok": False, "error": "invalid_request", "message": "offset must be <= 5000", "max_offset": 5000},
            Recourse.GIVE_UP,
            "invalid_request: offset must be <= 5000",
        ),
        (500, {"ok": False, "error": "failed", "message": "no rules"}, Recourse.RETRY, "failed: no rules"),
        (501, {"error": "not_implemented", "description": "reserved"}, Recourse.GIVE_UP, "not_implemented: reserved"),
    ],
)
def test_a_refusal_repeats_code_reason_and_message(
    status: int, body: dict[str, Any], recourse: Recourse, message: str
) -> None:
    refusal = Phaseo().refusal(page(body, status=status))
    assert (refusal.recourse, refusal.message) == (recourse, f"HTTP {status}: {message}")


def test_a_404_names_the_setting_and_the_path_that_was_asked() -> None:
    refusal = Phaseo(path="/old").refusal(page("404 Not Found", status=404))
    assert refusal.recourse is Recourse.GIVE_UP
    assert "check the setting `path` (/old)" in refusal.message


def test_html_from_a_cdn_with_429_is_tried_again() -> None:
    assert Phaseo().refusal(page("<html>slow down</html>", status=429)).recourse is Recourse.RETRY
