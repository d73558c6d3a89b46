"""Bifrost: walks by token, what its pages prove about absence, and its errors."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from etl.domain.catalog import Scope
from etl.domain.meters import DYNAMIC, Meter, PriceState
from etl.domain.snapshot import Page, PageRequest
from etl.errors import ContractError
from etl.sources.base import Recourse
from etl.sources.bifrost import Bifrost
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


def walk(*bodies: dict[str, Any]) -> tuple[Page, ...]:
    return tuple(page(body, number) for number, body in enumerate(bodies, 1))


def rows(*ids: str, token: str | None = None, statuses: list[Any] | None = None) -> dict[str, Any]:
    """A page with rows of these ids; keys that would be null are left out, as the gateway does."""
    body = {"data": [{"id": name} for name in ids], "next_page_token": token, "key_statuses": statuses}
    return {name: value for name, value in body.items() if value is not None}


def success(provider: str) -> dict[str, Any]:
    return {"key_id": f"k-{provider}", "status": "success", "provider": provider}


def failure(provider: str, message: str | None = None) -> dict[str, Any]:
    error = {"error": {"error": {"message": message}}} if message else {}
    return {"key_id": f"k-{provider}", "status": "list_models_failed", "provider": provider} | error


def priced(**pricing: Any) -> tuple[Page, ...]:
    return walk({"data": [{"id": "openai/gpt-4o", "pricing": pricing}]})


def test_without_a_page_size_the_whole_catalog_is_asked_for_in_one_request() -> None:
    assert Bifrost().first_page() == PageRequest(path="/v1/models")
    assert Bifrost().next_page(page(rows("openai/o3"))) is None


def test_every_page_of_a_walk_names_its_size() -> None:
    source = Bifrost(page_size=10)
    assert source.first_page().params == (("page_size", "10"),)
    following = source.next_page(page(rows("openai/o3", token="t1")))
    assert following == PageRequest(path="/v1/models", params=(("page_size", "10"), ("page_token", "t1")))


def test_an_empty_page_with_a_token_is_not_the_end() -> None:
    assert Bifrost(page_size=10).next_page(page(rows(token="t2"))) is not None


@pytest.mark.parametrize("token", [None, ""])
def test_an_absent_or_empty_token_ends_the_walk(token: str | None) -> None:
    assert Bifrost(page_size=10).next_page(page({"data": [], "next_page_token": token})) is None


def test_a_token_that_is_no_text_is_no_catalog() -> None:
    with pytest.raises(ContractError, match="next_page_token that is no text"):
        Bifrost(page_size=10).next_page(page({"data": [], "next_page_token": 5}))


def test_a_catalog_cut_short_is_incomplete_but_does_not_contradict_itself() -> None:
    coverage = Bifrost().coverage(walk(rows("openai/o3", token="t1", statuses=[success("openai")])))
    assert (coverage.is_complete, coverage.is_contradictory, coverage.providers) == (False, False, frozenset())
    assert coverage.reason is not None
    assert "page 2 of the walk is missing" in coverage.reason


def test_one_token_on_two_pages_is_a_circle() -> None:
    coverage = Bifrost().coverage(walk(rows("openai/o3", token="t1"), rows(token="t1"), rows("openai/o1")))
    assert coverage.is_contradictory
    assert coverage.reason == "pages 1 and 2 name the same next page: the walk runs in a circle"


def test_ids_that_come_again_on_a_later_page_contradict_the_walk() -> None:
    pages = walk(rows("openai/o3", "openai/o1", token="t1"), rows("openai/o3", "openai/o1", "openai/gpt-4o"))
    coverage = Bifrost().coverage(pages)
    assert (coverage.is_contradictory, coverage.providers) == (True, frozenset())
    assert coverage.reason == "2 ids of page 2 were on earlier pages: the walk restarted or repeated"


def test_a_page_after_the_last_one_contradicts_the_walk() -> None:
    assert Bifrost().coverage(walk(rows("openai/o3"), rows("openai/o1"))).is_contradictory


def test_an_id_twice_on_one_page_is_a_duplicate_and_no_contradiction() -> None:
    catalog = Bifrost().read(walk(rows("openai/o3", "openai/o3")))
    assert catalog.coverage.is_complete
    assert [(entry.pointer, entry.scopes) for entry in catalog.quarantined] == [("/data/1", ())]


@pytest.mark.parametrize("statuses", [None, []])
def test_without_key_statuses_the_walk_decides(statuses: list[Any] | None) -> None:
    coverage = Bifrost().coverage(walk(rows("openai/o3", statuses=statuses)))
    assert (coverage.is_complete, coverage.providers) == (True, None)


def test_when_every_key_succeeded_ids_without_a_provider_are_covered_too() -> None:
    coverage = Bifrost("eu").coverage(walk(rows("openai/o3", statuses=[success("openai")])))
    assert (coverage.is_complete, coverage.providers) == (True, frozenset({"openai", "eu"}))


def test_a_provider_that_failed_on_any_page_is_not_covered() -> None:
    first = rows("openai/o3", token="t1", statuses=[success("openai"), success("azure")])
    second = rows("openai/o1", statuses=[success("openai"), failure("azure", "Service unavailable")])
    coverage = Bifrost().coverage(walk(first, second))
    assert coverage.providers == frozenset({"openai"})
    assert coverage.reason == "azure failed: Service unavailable; its rows are carried on"
    assert not coverage.is_contradictory


def test_one_failed_key_uncovers_a_provider_whose_other_key_succeeded() -> None:
    coverage = Bifrost().coverage(walk(rows(statuses=[success("azure"), failure("azure")])))
    assert (coverage.providers, coverage.reason) == (frozenset(), "azure failed; its rows are carried on")


def test_key_statuses_of_some_pages_count_for_all() -> None:
    pages = walk(rows("openai/o3", token="t1", statuses=[success("openai")]), rows("groq/llama-3.3-70b-versatile"))
    assert Bifrost().coverage(pages).providers == frozenset({"openai", "bifrost"})


@pytest.mark.parametrize("report", ["failed", {"status": "list_models_failed"}, {"provider": "", "status": "success"}])
def test_a_key_status_that_cannot_be_read_covers_nobody(report: Any) -> None:
    coverage = Bifrost().coverage(walk(rows("openai/o3", statuses=[success("openai"), report])))
    assert (coverage.is_complete, coverage.providers) == (False, frozenset())


@pytest.mark.parametrize("spelling", ["-1", "-1.000", -1, "-1e0"])
def test_minus_one_in_any_spelling_is_a_price_that_varies(spelling: Any) -> None:
    (price,) = Bifrost().read(priced(prompt=spelling)).prices
    assert price.quote == DYNAMIC


def test_free_and_unpriced_are_two_things() -> None:
    (free,) = Bifrost().read(priced(prompt="0.0000000000", completion=None)).prices
    assert (free.meter, free.quote.state) == (Meter.INPUT_TOKEN, PriceState.FREE)


def test_three_spellings_of_one_price_are_one_price() -> None:
    spellings = ['"0.0000025"', '"0.0000025000"', "2.5e-06"]
    bodies = [f'{{"data":[{{"id":"openai/gpt-4o","pricing":{{"prompt":{text}}}}}]}}' for text in spellings]
    quotes = {Bifrost().read((page(body),)).prices[0].quote for body in bodies}
    assert {str(quote.unit_price) for quote in quotes} == {"0.0000025"}


def test_a_negative_price_is_set_aside_with_its_key_and_the_rest_loads() -> None:
    catalog = Bifrost().read(priced(prompt="-2", completion="0.00001"))
    (entry,) = catalog.quarantined
    key = Scope(
        model_id="openai/gpt-4o",
        provider="openai",
        region="*",
        plan="standard",
        meter=Meter.INPUT_TOKEN,
        tier_start=0,
    )
    assert (entry.pointer, entry.scopes) == ("/data/0/pricing/prompt", (key,))
    assert [price.meter for price in catalog.prices] == [Meter.OUTPUT_TOKEN]


def test_a_created_beyond_the_calendar_costs_only_the_date() -> None:
    catalog = Bifrost().read(walk({"data": [{"id": "openai/o3", "created": 10**17}]}))
    assert [model.released_at for model in catalog.models] == [None]


def test_latency_is_no_part_of_the_catalog() -> None:
    fast, slow = ({"data": [{"id": "openai/o3"}], "extra_fields": {"latency": ms}} for ms in (3, 900))
    assert Bifrost().read(walk(fast)) == Bifrost().read(walk(slow))


def test_an_unknown_virtual_key_sees_an_empty_catalog() -> None:
    catalog = Bifrost().read(pages_of("bifrost", "unknown-key"))
    assert (catalog.models, catalog.coverage.is_complete) == ((), True)


def test_the_dashboard_with_status_200_is_called_html() -> None:
    with pytest.raises(ContractError, match="HTML where JSON was expected: check url and path"):
        Bifrost().read((page("<!DOCTYPE html><html></html>"),))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], "no JSON object"),
        ({"models": []}, "its keys are ['models']"),
        ({"data": None}, "no list `data`"),
        ({"is_bifrost_error": False, "error": {"message": "no keys found"}}, "no keys found"),
    ],
)
def test_a_foreign_body_says_what_came(body: Any, words: str) -> None:
    with pytest.raises(ContractError) as caught:
        Bifrost().read((page(body),))
    assert words in str(caught.value)


def refused(status: int, message: str, **extra: Any) -> Page:
    return page({"is_bifrost_error": False, "error": {"message": message}, "extra_fields": extra}, status=status)


@pytest.mark.parametrize(
    ("reply", "recourse"),
    [
        (refused(400, "missing required headers: x-team"), Recourse.GIVE_UP),
        (refused(400, "upstream says no", key_statuses=[failure("openai")]), Recourse.RETRY),
        (refused(401, "virtual key is required"), Recourse.ACCESS),
        (refused(402, "budget used up"), Recourse.ACCESS),
        (refused(403, "Virtual key not found"), Recourse.ACCESS),
        (refused(429, "limit used up"), Recourse.RETRY),
        (refused(503, "Service unavailable"), Recourse.RETRY),
    ],
)
def test_a_refusal_repeats_the_gateways_words(reply: Page, recourse: Recourse) -> None:
    refusal = Bifrost().refusal(reply)
    assert refusal.recourse is recourse
    assert refusal.message == f"HTTP {reply.status}: {reply.document['error']['message']}"


def test_a_refusal_that_is_no_json_still_has_a_status() -> None:
    assert Bifrost().refusal(page("Bad Gateway", status=502)).message == "HTTP 502"
