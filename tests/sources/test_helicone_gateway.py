"""What the golden catalogs of Helicone's gateway do not show well: it knows no prices, and some dates are stand-ins."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from etl.domain.catalog import Catalog, Scope
from etl.domain.snapshot import Page
from etl.errors import ContractError
from etl.sources.base import Recourse
from etl.sources.helicone_gateway import HeliconeGateway

SOURCE = HeliconeGateway()


def page(body: Any, status: int = 200) -> Page:
    return Page(
        number=1, url="test", status=status, body=json.dumps(body).encode(), fetched_at=datetime(2026, 1, 1, tzinfo=UTC)
    )


def catalog_of(*models: Any) -> Catalog:
    return SOURCE.read([page({"object": "list", "data": models})])


def test_it_yields_models_and_nothing_that_costs() -> None:
    catalog = catalog_of(
        {"id": "gpt-5", "object": "model", "created": 1, "owned_by": "openai", "pricing": {"prompt": 1}}
    )
    assert (catalog.endpoints, catalog.prices, catalog.providers, catalog.authors) == ((), (), None, None)


@pytest.mark.parametrize(
    ("created", "released_at"),
    [
        (1754524800, datetime(2025, 8, 7, tzinfo=UTC)),
        (1754524800.0, datetime(2025, 8, 7, tzinfo=UTC)),
        (1704067200, None),
        (None, None),
        (10**13, None),
        (10**40, None),
    ],
)
def test_an_unknown_or_impossible_date_is_null(created: Any, released_at: datetime | None) -> None:
    (model,) = catalog_of({"id": "gpt-5", "created": created}).models
    assert model.released_at == released_at


@pytest.mark.parametrize(
    ("record", "scope"), [({}, Scope()), (7, Scope()), ({"id": "o3", "owned_by": 1}, Scope(model_id="o3"))]
)
def test_an_unreadable_entry_carries_on_what_it_may_have_been(record: Any, scope: Scope) -> None:
    catalog = catalog_of(record, {"id": "gpt-5"})
    assert [model.model_id for model in catalog.models] == ["gpt-5"]
    assert [entry.scopes for entry in catalog.quarantined] == [(scope,)]


def test_of_two_entries_with_one_id_the_second_changes_nothing() -> None:
    catalog = catalog_of({"id": "gpt-5", "owned_by": "openai"}, {"id": "gpt-5", "owned_by": "nobody"})
    assert [model.author for model in catalog.models] == ["openai"]
    assert [entry.scopes for entry in catalog.quarantined] == [()]


def test_the_order_of_entries_means_nothing() -> None:
    models = [{"id": "gpt-5", "tags": ["a", "b"]}, {"id": "o3", "created": 5}]
    there, back = catalog_of(*models), catalog_of(models[1], {"tags": ["b", "a"], "id": "gpt-5"})
    assert set(map(str, there.models)) == set(map(str, back.models))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "no models", "type": "internal"}}, "an error instead of models: 'no models'"),
        ({"error": {"type": "internal"}}, "an error instead of models: 'internal'"),
        ({"object": "list"}, r"no list `data`, only the keys \['object'\]"),
        ({"data": {}}, r"no list `data`, only the keys \['data'\]"),
        ([], r"no object with `data`: \[\]"),
    ],
)
def test_a_body_that_is_no_list_of_models_says_what_came(body: Any, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        SOURCE.parse([page(body)])


def test_a_refusal_quotes_the_gateway() -> None:
    refusal = SOURCE.refusal(page({"error": {"message": "Failed to list models", "type": "internal_error"}}, 500))
    assert (refusal.recourse, refusal.message) == (Recourse.RETRY, "HTTP 500: Failed to list models")
    assert SOURCE.complaint(page({"error": "plain"}, 500)) is None
