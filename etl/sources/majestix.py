"""Majestix, the gateway that sells in credits: GET /models, one page, credits per 1,000 tokens, margin included.

What is stored is the credits; what a credit is worth is dated configuration and not said here.
"""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import model_validator

from etl.domain.catalog import STANDARD, Catalog, Endpoint, Json, Model, Price, Scope
from etl.domain.evidence import TO_NINE_DECIMALS, Citation, Evidence
from etl.domain.meters import CREDIT, AmountError, Meter, Quote, amount, quote
from etl.domain.snapshot import Page
from etl.errors import ContractError
from etl.sources.base import (
    Count,
    Credential,
    Place,
    Reading,
    Record,
    Refusal,
    Source,
    error_document,
    joined,
    refusal_by_status,
    text_key,
    validate,
)
from etl.sources.collect import Collector, unordered
from etl.sources.pricing import Rate, Rates

_PER = 1_000

_ROUNDING = TO_NINE_DECIMALS
"""The costs come out of doubles (``4.199999999999999``); the vendor's clients compare nine decimals."""

_PRICE_PREFIX = "cost_"
"""A field that begins so is about money, known or not."""


class MajestixModel(Rates):
    """One model with its prices beside it; two generations of names for its id and its title."""

    id: str | None = None
    key: str | None = None
    name: str | None = None
    display_name: str | None = None
    provider: str | None = None
    context_window: Count | None = None
    max_output_tokens: Count | None = None

    cost_per_1k_input: Annotated[Rate, Meter.INPUT_TOKEN] = None
    cost_per_1k_output: Annotated[Rate, Meter.OUTPUT_TOKEN] = None

    @property
    def model_id(self) -> str:
        """The id under either name; never empty."""
        return self.id or self.key or ""

    @model_validator(mode="after")
    def _has_an_id(self) -> Self:
        if not self.model_id:
            raise ValueError("neither id nor key")
        return self


class Majestix(Source[MajestixModel]):
    """Models, one endpoint for each, and at most two prices per endpoint, in credits."""

    kind = "majestix"
    url = "https://inference-api-611798501438.us-central1.run.app"
    path = "/models"
    credential = Credential(header="X-Api-Key", env="MAJESTIX_API_KEY")

    def refusal(self, page: Page) -> Refusal:
        """By status; how long a 429 wants us to wait stands in its body."""
        detail = error_document(page).get("detail")
        wait = detail.get("retry_after") if isinstance(detail, dict) and page.status == 429 else None
        return refusal_by_status(page, self.complaint(page), retry_after=_seconds(wait))

    def complaint(self, page: Page) -> str | None:
        """The text of ``{"detail": "text"}``, or code and message of ``{"detail": {"code", "message"}}``."""
        detail = error_document(page).get("detail")
        if isinstance(detail, dict):
            said = [detail[name] for name in ("code", "message") if isinstance(detail.get(name), str)]
            return ": ".join(said) or None
        return str(detail) if detail else None

    def parse(self, pages: Sequence[Page]) -> Reading[MajestixModel]:
        """The entries of ``models``, of ``data``, or of a bare list."""
        readings = [
            validate(MajestixModel, items, place, _id, self.quarantine_limit) for items, place in map(_listed, pages)
        ]
        return joined(readings, self.coverage(pages))

    def flatten(self, reading: Reading[MajestixModel]) -> Catalog:
        """A model without ``provider`` is served by the source itself."""
        collector = Collector(limit=self.quarantine_limit)
        for record in reading.records:
            if collector.model(_model(record.wire), record.place, record.raw):
                endpoint = Endpoint(model_id=record.wire.model_id, provider=record.wire.provider or self.name)
                collector.endpoint(endpoint, record.place, record.raw)
                _add_prices(record, endpoint, collector)
        return collector.build(reading.coverage, reading.quarantined)


def _id(item: Json) -> str | None:
    return text_key(item, "id", "key")


def _listed(page: Page) -> tuple[list[Json], Place]:
    """The models of a page and where their list stands. Raises ``ContractError`` when there is none."""
    document, root = page.document, Place(page.number)
    if isinstance(document, list):
        return document, root
    if not isinstance(document, dict):
        raise ContractError(f"{page.url} sent neither a list nor an object: {document!r:.100}")
    for name in ("models", "data"):
        if isinstance(document.get(name), list):
            return document[name], root.at(name)
    raise ContractError(f"{page.url} sent no list `models` or `data`, only the keys {sorted(document)!r:.300}")


def _model(wire: MajestixModel) -> Model:
    return Model(
        model_id=wire.model_id,
        name=wire.name or wire.display_name,
        context_length=wire.context_window,
        max_output_tokens=wire.max_output_tokens,
        extra=unordered(_extra(wire)),
    )


def _extra(wire: MajestixModel) -> dict[str, Json]:
    """What no column names and no price carries; a second spelling of id or title only where it differs."""
    extra = {name: value for name, value in (wire.model_extra or {}).items() if not name.startswith(_PRICE_PREFIX)}
    if wire.id and wire.key and wire.key != wire.id:
        extra["key"] = wire.key
    if wire.name and wire.display_name and wire.display_name != wire.name:
        extra["display_name"] = wire.display_name
    return extra


def _add_prices(record: Record[MajestixModel], endpoint: Endpoint, collector: Collector) -> None:
    """The published costs; one that cannot be read is set aside alone."""
    model_id, provider = endpoint.model_id, endpoint.provider
    for field, meter, raw in record.wire.quoted():
        place = record.place.at(field)
        try:
            price = Price(
                model_id=model_id,
                provider=provider,
                meter=meter,
                quote=_credits(raw),
                currency=CREDIT,
                evidence=Evidence(place.page, (Citation(place.pointer, meter),), _PER, _ROUNDING),
            )
        except AmountError as error:
            collector.quarantine(place, error, raw, _scope(endpoint, meter))
        else:
            collector.price(price, place, raw)
    for field, raw in record.wire.unmapped().items():
        if field.startswith(_PRICE_PREFIX):
            collector.unmapped(field, raw)


def _scope(endpoint: Endpoint, meter: Meter) -> Scope:
    """The key of the one price that an endpoint has for a meter."""
    return Scope(
        model_id=endpoint.model_id,
        provider=endpoint.provider,
        region=endpoint.region,
        plan=STANDARD,
        meter=meter,
        tier_start=0,
    )


def _credits(raw: Json) -> Quote:
    """Credits per token, from credits per 1,000 tokens. Raises ``AmountError``."""
    return quote(_ROUNDING.of(amount(raw)), per=_PER)


def _seconds(wait: Json) -> float | None:
    """A wait as seconds; null for what is none."""
    try:
        seconds = float(amount(wait))
    except AmountError:
        return None
    return seconds if seconds >= 0 else None
