"""Helicone's model registry: GET /v1/public/model-registry/models, one page, tiered prices in USD per endpoint.

Models and endpoints are shuffled whenever a price changes, so everything is known by its key, never by its index.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field, ValidationError

from etl.domain.catalog import Author, Catalog, Coverage, Json, Model, Provider, Scope
from etl.domain.snapshot import Page
from etl.errors import ContractError
from etl.sources.base import (
    Count,
    Name,
    Place,
    Reading,
    Record,
    Source,
    Texts,
    error_document,
    explain,
    joined,
    text_key,
    validate,
)
from etl.sources.collect import Collector, moment, names, unordered
from etl.sources.helicone_endpoint import RegistryEndpoint, RegistryWire, readable_scope
from etl.sources.helicone_pricing import add_prices


class RegistryModel(RegistryWire):
    """One model; its endpoints are read one by one, so that a broken one does not hide it. Lengths are tokens."""

    id: Name
    name: str | None = None
    author: str | None = None
    description: str | None = None
    context_length: Count | None = None
    max_output: Count | None = None
    training_date: str | None = None
    """Really the release date, in ISO 8601; naive is UTC."""
    input_modalities: Texts | None = None
    output_modalities: Texts | None = None
    supported_parameters: Texts | None = None
    endpoints: Any = None


class NamedProvider(RegistryWire):
    """A provider and the name that Helicone shows for it."""

    name: Name
    display_name: str | None = None


class Filters(RegistryWire):
    """``data.filters``: everyone who serves or makes models; absent before 2025-08-26."""

    providers: Annotated[list[NamedProvider], Field(fail_fast=True)] | None = None
    authors: Annotated[list[Name], Field(fail_fast=True)] | None = None


class HeliconeRegistry(Source[RegistryModel]):
    """Models, endpoints by provider and region, and effective prices for every tier."""

    kind = "helicone_registry"
    url = "https://api.helicone.ai"
    path = "/v1/public/model-registry/models"
    records = ("data", "models")

    def complaint(self, page: Page) -> str | None:
        """The text of ``{"error": "text"}``."""
        error = error_document(page).get("error")
        return str(error) if error else None

    def coverage(self, pages: Sequence[Page]) -> Coverage:
        """Whole unless ``data.total`` says that there are more, or fewer, models. Raises ``ContractError``."""
        for data in map(_data, pages):
            total, came = data.get("total"), len(data["models"])
            if total is not None and total != came:
                return Coverage(is_complete=False, reason=f"total says {total!s:.40}, {came} came")
        return Coverage()

    def parse(self, pages: Sequence[Page]) -> Reading[RegistryModel]:
        """The entries of ``data.models``; the envelopes carry ``data.filters``."""
        readings = [
            validate(
                RegistryModel, _data(page)["models"], Place(page.number, "/data/models"), _id, self.quarantine_limit
            )
            for page in pages
        ]
        return joined(readings, self.coverage(pages), envelopes=(page.document for page in pages))

    def flatten(self, reading: Reading[RegistryModel]) -> Catalog:
        """Of two models, or two endpoints of a model, with one key the second is set aside whole."""
        collector = Collector(explains=self.explains, limit=self.quarantine_limit)
        for record in reading.records:
            if collector.model(_model(record.wire), record.place, record.raw):
                _add_endpoints(record, collector)
        for number, document in enumerate(reading.envelopes, 1):
            _add_names(document["data"].get("filters"), Place(number, "/data/filters"), collector)
        return collector.build(reading.coverage, reading.quarantined)


def _id(item: Json) -> str | None:
    return text_key(item, "id")


def _data(page: Page) -> dict[str, Json]:
    """The ``data`` of a page, with its list of ``models``. Raises ``ContractError`` when it is no such catalog."""
    document = page.document
    if not isinstance(document, dict):
        raise ContractError(f"{page.url} sent no object with `data`: {document!r:.100}")
    if document.get("error") is not None:
        raise ContractError(f"{page.url} sent an error instead of models: {document['error']!r:.300}")
    data = document.get("data")
    if not isinstance(data, dict) or "models" not in data:
        raise ContractError(f"{page.url} sent no `data.models`, only the keys {sorted(document)!r:.300}")
    if not isinstance(data["models"], list):
        raise ContractError(f"{page.url} sent `data.models` that is no list: {data['models']!r:.100}")
    return data


def _model(wire: RegistryModel) -> Model:
    return Model(
        model_id=wire.id,
        name=wire.name,
        author=wire.author,
        description=wire.description,
        context_length=wire.context_length,
        max_output_tokens=wire.max_output,
        input_modalities=names(wire.input_modalities),
        output_modalities=names(wire.output_modalities),
        supported_parameters=names(wire.supported_parameters),
        released_at=moment(wire.training_date),
        extra=unordered(wire.rest),
    )


def _add_endpoints(record: Record[RegistryModel], collector: Collector) -> None:
    """Each endpoint with its prices; what is known of one that cannot be read is carried on."""
    items, place = record.wire.endpoints, record.place.at("endpoints")
    if not isinstance(items, list):
        collector.quarantine(place, "the model has no list of endpoints", items, Scope(model_id=record.wire.id))
        return
    for index, item in enumerate(items):
        at = place.at(index)
        try:
            wire = RegistryEndpoint.model_validate(item)
        except ValidationError as error:
            collector.quarantine(at, explain(error), item, readable_scope(record.wire.id, item))
            continue
        endpoint = wire.flat(record.wire.id, record.wire.author)
        if collector.endpoint(endpoint, at, item):
            add_prices(item, at, endpoint, collector)


def _add_names(filters: Json, place: Place, collector: Collector) -> None:
    """The names of providers and authors; a list that cannot be read, or is not there, ends none of them."""
    if filters is None:
        return
    try:
        listed = Filters.model_validate(filters)
    except ValidationError as error:
        collector.quarantine(place, explain(error), filters)
        return
    if listed.providers is None or listed.authors is None:
        return
    collector.lists_names()
    for item in listed.providers:
        collector.provider(Provider(provider=item.name, display_name=item.display_name, extra=unordered(item.rest)))
    for author in listed.authors:
        collector.author(Author(author=author))
