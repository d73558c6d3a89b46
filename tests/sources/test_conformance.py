"""What holds for every source: its fixtures give the reviewed catalogs, and its promises as a ``Source`` are kept.

A missing golden file is written and the test fails once, so that a person reads it as if it were an invoice.
"""

import dataclasses
import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from etl.domain.catalog import Catalog, Quarantined
from etl.domain.meters import Quote
from etl.reading import read_pages
from etl.sources.division import read_changed, read_whole
from etl.sources.registry import kinds
from tests.sources.fixtures import GOLDEN, pages_of, scenarios

pytestmark = pytest.mark.parametrize(("kind", "scenario"), scenarios(), ids=["/".join(each) for each in scenarios()])


def _plain(value: Any) -> Any:
    """A record as JSON: nulls and empty things left out, amounts as text, so that a person can read it."""
    match value:
        case Quote():
            return value.state if value.unit_price is None else f"{value.unit_price:f}"
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.isoformat()
        case frozenset():
            return sorted(value)
        case dict():
            return {key: _plain(item) for key, item in sorted(value.items())}
        case tuple() | list():
            return [_plain(item) for item in value]
        case _ if dataclasses.is_dataclass(value):
            items = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value) if field.compare)
            usual = 1 if isinstance(value, Quarantined) else None
            return {
                name: _plain(item) for name, item in items if not _is_usual(item) and (name != "count" or item != usual)
            }
        case _:
            return value


def _is_usual(item: Any) -> bool:
    """Whether a reader of the golden file need not see it; zero and false are facts."""
    return item is None or item in ((), {}, "*", "standard")


def render(catalog: Catalog) -> str:
    """The whole catalog, one record on a line."""
    sections = []
    for field in dataclasses.fields(catalog):
        if not field.compare:
            continue
        value = getattr(catalog, field.name)
        if field.name == "coverage" or value is None:
            sections.append(f" {json.dumps(field.name)}: {json.dumps(_plain(value))}")
            continue
        lines = sorted(json.dumps(_plain(item), ensure_ascii=False) for item in value)
        sections.append(f" {json.dumps(field.name)}: [\n" + ",\n".join(f"  {line}" for line in lines) + "\n ]")
    return "{\n" + ",\n".join(sections) + "\n}\n"


def test_the_fixture_gives_the_reviewed_catalog(kind: str, scenario: str) -> None:
    golden = GOLDEN / kind / f"{scenario}.json"
    found = render(kinds()[kind]().read(pages_of(kind, scenario)))
    if not golden.exists():
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(found, encoding="utf-8")
        pytest.fail(f"{golden} was written: read it line by line, then run the tests again")
    assert found == golden.read_text(encoding="utf-8")


def test_reading_twice_gives_equal_catalogs(kind: str, scenario: str) -> None:
    source = kinds()[kind]()
    assert source.read(pages_of(kind, scenario)) == source.read(pages_of(kind, scenario))


def test_every_price_hangs_on_an_endpoint_and_every_endpoint_on_a_model(kind: str, scenario: str) -> None:
    catalog = kinds()[kind]().read(pages_of(kind, scenario))
    models = {model.model_id for model in catalog.models}
    endpoints = {(endpoint.model_id, endpoint.provider, endpoint.region) for endpoint in catalog.endpoints}
    assert {endpoint.model_id for endpoint in catalog.endpoints} <= models
    assert {(price.model_id, price.provider, price.region) for price in catalog.prices} <= endpoints


def test_the_first_request_is_a_path_of_the_source(kind: str, scenario: str) -> None:
    source = kinds()[kind](path="/elsewhere")
    assert kinds()[kind]().first_page().path.startswith("/")
    assert source.first_page().path == "/elsewhere"
    assert len(pages_of(kind, scenario)) >= 1


def test_the_name_of_a_source_is_its_kind_unless_given(kind: str, scenario: str) -> None:
    assert kinds()[kind]().name == kind
    assert kinds()[kind]("another").read(pages_of(kind, scenario)).models is not None


def test_a_catalog_that_came_before_says_nothing_new(kind: str, scenario: str) -> None:
    source, pages = kinds()[kind](), pages_of(kind, scenario)
    whole = read_whole(source, pages, read_pages)
    if whole.records is None:
        assert source.records is None or not whole.is_plain or not whole.models
        return
    part = read_changed(source, pages, whole.records, read_pages)
    assert part is not None
    assert (part.models, part.endpoints, part.prices, part.providers, part.authors) == ((), (), (), None, None)
    assert (part.coverage, part.counts, part.decimals) == (whole.coverage, whole.counts, whole.decimals)
