"""The loopback gateways behave like the real ones, and what they serve is sound."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from etl.demo import samples
from etl.demo.server import CREDENTIALS, Gateways
from etl.demo.story import sources
from etl.domain.meters import Quote
from etl.domain.snapshot import Page
from etl.errors import AccessError, FetchError
from etl.extract.client import Secret
from etl.extract.walk import Outcome, fetch_snapshot
from etl.sources.base import Source
from etl.sources.bifrost import Bifrost
from etl.sources.helicone_registry import HeliconeRegistry

CAST = {source.kind: source for source in sources()}


@pytest.fixture
def gateways() -> Iterator[Gateways]:
    with Gateways() as running:
        yield running


def fetch(gateways: Gateways, source: Source[Any], secret: Secret | None = None) -> Outcome:
    return fetch_snapshot(source, url=gateways.url(source.kind), clock=lambda: samples.STEPS[0], secret=secret)


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_a_stranger_is_refused(gateways: Gateways, kind: str) -> None:
    assert isinstance(fetch(gateways, CAST[kind]).error, AccessError)
    wrong = Secret(header="X-Api-Key", value="inf_somebody_else", variable="a test")
    assert isinstance(fetch(gateways, CAST[kind], wrong).error, AccessError)


def test_another_path_is_not_found(gateways: Gateways) -> None:
    assert isinstance(fetch(gateways, HeliconeRegistry(path="/v2/models")).error, FetchError)


def test_bifrost_by_pages_is_bifrost_whole(gateways: Gateways) -> None:
    whole, paged = Bifrost("one"), Bifrost("one", page_size=5)
    pages = fetch(gateways, paged).pages
    assert len(pages) == 3
    assert paged.read(pages) == whole.read(fetch(gateways, whole).pages)


@pytest.mark.parametrize("kind", samples.RECORDS)
def test_the_same_step_is_served_in_the_same_bytes(kind: str) -> None:
    assert list(samples.bodies(kind)) == list(samples.bodies(kind))


@pytest.mark.parametrize("kind", samples.RECORDS)
def test_the_bodies_of_two_steps_share_nothing(kind: str) -> None:
    first, *_ = bodies = list(samples.bodies(kind))
    before = str(bodies[1:])
    first.clear()
    assert str(bodies[1:]) == before


def test_an_edit_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="an edit that is none"):
        samples._Catalog.of({"data": []}, ("data",)).apply({"why": "a slip of the pen", "delete": "gpt-4o"})  # noqa: SLF001


@pytest.mark.parametrize("step", range(len(samples.STEPS)))
def test_both_price_forms_of_the_sample_registry_agree(step: int) -> None:
    body = list(samples.bodies("helicone_registry"))[step]
    lossless = quotes(body)
    for model in body["data"]["models"]:
        for endpoint in model["endpoints"]:
            del endpoint["endpoint"]["pricing"]
    simplified = quotes(body)
    assert simplified.items() <= lossless.items()
    assert {key[-1] for key in lossless.keys() - simplified.keys()} == {
        "cache_storage_token_hour",
        "cache_write_1h_token",
    }


def quotes(body: Any) -> dict[Any, Quote]:
    """Every price of a registry's body by its key."""
    page = Page(number=1, url="a sample", status=200, body=json.dumps(body).encode(), fetched_at=samples.STEPS[0])
    catalog = HeliconeRegistry().read([page])
    assert not catalog.quarantined
    return {
        (price.model_id, price.provider, price.region, price.tier_start, price.meter): price.quote
        for price in catalog.prices
    }
