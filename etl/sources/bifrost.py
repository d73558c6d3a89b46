"""Bifrost gateway: ``GET /v1/models``, one reply, or pages by opaque token when ``page_size`` is configured.

Prices are USD per unit as strings. A provider that failed upstream is told by ``key_statuses`` alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from etl.domain.catalog import ANY_REGION, STANDARD, Catalog, Coverage, Endpoint, Json, Model, Price, Scope
from etl.domain.evidence import Citation, Evidence
from etl.domain.meters import DYNAMIC, VARIES, AmountError, Meter, Quote, amount, quote
from etl.domain.snapshot import Page, PageRequest
from etl.sources.base import (
    Count,
    Credential,
    Place,
    Reading,
    Record,
    Recourse,
    Refusal,
    Source,
    Texts,
    error_document,
    refusal_by_status,
    validate,
)
from etl.sources.bifrost_walk import coverage, message_of, row_id, rows, token_of
from etl.sources.collect import Collector, epoch, names, unordered
from etl.sources.pricing import Rate, Rates


class BifrostRates(Rates):
    """``pricing`` of a row: strings or numbers, USD per token, request, search or image."""

    prompt: Annotated[Rate, Meter.INPUT_TOKEN] = None
    completion: Annotated[Rate, Meter.OUTPUT_TOKEN] = None
    internal_reasoning: Annotated[Rate, Meter.REASONING_TOKEN] = None
    input_cache_read: Annotated[Rate, Meter.CACHE_READ_TOKEN] = None
    input_cache_write: Annotated[Rate, Meter.CACHE_WRITE_TOKEN] = None
    image: Annotated[Rate, Meter.INPUT_IMAGE] = None
    request: Annotated[Rate, Meter.REQUEST] = None
    web_search: Annotated[Rate, Meter.WEB_SEARCH] = None


class Architecture(BaseModel):
    """``architecture`` of a row; Bedrock sends its modalities in upper case."""

    model_config = ConfigDict(extra="allow")

    input_modalities: Texts | None = None
    output_modalities: Texts | None = None


class BifrostModel(BaseModel):
    """One row of ``data``; the gateway leaves unknown fields out, so any but ``id`` can be absent."""

    model_config = ConfigDict(extra="allow")

    id: Annotated[str, Field(min_length=1)]
    name: str | None = None
    owned_by: str | None = None
    description: str | None = None
    created: Decimal | None = None
    context_length: Count | None = None
    max_output_tokens: Count | None = None
    architecture: Architecture | None = None
    supported_parameters: Texts | None = None
    pricing: Json = None

    def to_model(self) -> Model:
        """The row's columns; what no column names is ``extra``."""
        shape = self.architecture or Architecture()
        rest = {"architecture": shape.model_extra} if shape.model_extra else {}
        return Model(
            model_id=self.id,
            name=self.name,
            author=self.owned_by or None,
            description=self.description,
            context_length=self.context_length,
            max_output_tokens=self.max_output_tokens,
            input_modalities=_lower(shape.input_modalities),
            output_modalities=_lower(shape.output_modalities),
            supported_parameters=names(self.supported_parameters),
            released_at=epoch(self.created),
            extra=unordered((self.model_extra or {}) | rest),
        )


class Bifrost(Source[BifrostModel]):
    """One Bifrost gateway, as one key sees it; a gateway without ``page_size`` answers whole, hence consistently."""

    kind = "bifrost"
    url = "http://localhost:8080"
    path = "/v1/models"
    records = ("data",)
    needs_url = True
    credential = Credential(header="x-bf-vk", env="BIFROST_API_KEY", is_required=False)

    def first_page(self) -> PageRequest:
        """The request that begins a walk; tokens are ignored by the gateway unless every page names its size."""
        return PageRequest(path=self.request_path, params=self._params())

    def next_page(self, page: Page) -> PageRequest | None:
        """The page that the token names; an empty page can carry one, so that only its absence ends the walk."""
        token = token_of(page) if self.page_size else None
        return PageRequest(path=self.request_path, params=(*self._params(), ("page_token", token))) if token else None

    def refusal(self, page: Page) -> Refusal:
        """By status, save a 400 that reports on keys: every provider failed upstream, which passes."""
        extra = error_document(page).get("extra_fields")
        if page.status == 400 and isinstance(extra, dict) and extra.get("key_statuses"):
            message = f"HTTP 400: {self.complaint(page) or 'every provider failed'}"
            return Refusal(recourse=Recourse.RETRY, message=message[:310])
        return refusal_by_status(page, self.complaint(page))

    def complaint(self, page: Page) -> str | None:
        """``error.message`` of a Bifrost error."""
        return message_of(error_document(page))

    def coverage(self, pages: Sequence[Page]) -> Coverage:
        """Whole when the walk is, and then provider by provider where the gateway reports on its keys."""
        return coverage(pages, own_name=self.name)

    def parse(self, pages: Sequence[Page]) -> Reading[BifrostModel]:
        """The rows of all pages."""
        readings = [
            validate(BifrostModel, rows(page), Place(page.number, "/data"), row_id, self.quarantine_limit)
            for page in pages
        ]
        return Reading(
            records=tuple(record for reading in readings for record in reading.records),
            quarantined=tuple(entry for reading in readings for entry in reading.quarantined),
            coverage=self.coverage(pages),
        )

    def flatten(self, reading: Reading[BifrostModel]) -> Catalog:
        """Each row is a model with one endpoint: the provider before the first slash of its id."""
        tray = Collector(limit=self.quarantine_limit)
        for record in reading.records:
            if tray.model(record.wire.to_model(), record.place, record.raw):
                self._put_endpoint(tray, record)
        return tray.build(reading.coverage, reading.quarantined)

    def _params(self) -> tuple[tuple[str, str], ...]:
        return (("page_size", str(self.page_size)),) if self.page_size else ()

    def _put_endpoint(self, tray: Collector, record: Record[BifrostModel]) -> None:
        model_id = record.wire.id
        before, slash, after = model_id.partition("/")
        provider = (slash and before) or self.name
        tray.endpoint(
            Endpoint(model_id=model_id, provider=provider, provider_model_id=after or None), record.place, record.raw
        )
        _put_prices(tray, record, Scope(model_id=model_id, provider=provider, region=ANY_REGION))


def _put_prices(tray: Collector, record: Record[BifrostModel], route: Scope) -> None:
    """The published prices of a row; absent, null and ``{}`` publish none."""
    pricing, place = record.wire.pricing, record.place.at("pricing")
    if pricing is None:
        return
    if not isinstance(pricing, dict):
        tray.quarantine(place, "pricing is no object", pricing, route)
        return
    rates = BifrostRates.model_validate(pricing)
    for name, example in rates.unmapped().items():
        tray.unmapped(f"pricing.{name}", example)
    for field, meter, raw in rates.quoted():
        key, at = replace(route, plan=STANDARD, meter=meter, tier_start=0), place.at(field)
        evidence = Evidence(at.page, (Citation(at.pointer, meter),))
        try:
            price = Price(
                model_id=record.wire.id,
                provider=str(route.provider),
                meter=meter,
                quote=_quote(raw),
                evidence=evidence,
            )
        except AmountError as error:
            tray.quarantine(at, error, raw, key)
        else:
            tray.price(price, at, raw)


def _quote(raw: Json) -> Quote:
    figure = amount(raw)
    return DYNAMIC if figure == VARIES else quote(figure)


def _lower(modalities: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if modalities is None else names([modality.lower() for modality in modalities])
