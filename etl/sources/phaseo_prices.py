"""What Phaseo quotes: price sheets of meters, and ``pricing`` strings for models without any meter.

A figure that cannot be read is set aside alone, with the key whose price it would have been.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, ValidationError

from etl.domain.catalog import ANY_REGION, STANDARD, Endpoint, Json, Price, Scope
from etl.domain.evidence import TO_A_DOUBLE, Citation, Evidence
from etl.domain.meters import USD, AmountError, Meter, Quote, amount, out_of_double, quote
from etl.sources.base import Place, explain
from etl.sources.collect import Collector
from etl.sources.pricing import Rate, Rates

ENTRY_FIELDS = frozenset({"provider_id", "unit", "unit_size", "price_per_unit", "currency"})
"""All that a meter has said so far; anything else may be money, and is reported."""


class PhaseoMeters(Rates):
    """``meters`` of a sheet: each null or an entry that costs ``price_per_unit`` for ``unit_size`` units."""

    input_text_tokens: Annotated[Rate, Meter.INPUT_TOKEN] = None
    input_tokens: Annotated[Rate, Meter.INPUT_TOKEN] = None
    output_text_tokens: Annotated[Rate, Meter.OUTPUT_TOKEN] = None
    output_tokens: Annotated[Rate, Meter.OUTPUT_TOKEN] = None
    cached_read_text_tokens: Annotated[Rate, Meter.CACHE_READ_TOKEN] = None
    implicit_cached_input_text_tokens: Annotated[Rate, Meter.CACHE_READ_IMPLICIT_TOKEN] = None
    cached_write_text_tokens: Annotated[Rate, Meter.CACHE_WRITE_TOKEN] = None
    cached_write_text_tokens_5m: Annotated[Rate, Meter.CACHE_WRITE_5M_TOKEN] = None
    cached_write_text_tokens_1h: Annotated[Rate, Meter.CACHE_WRITE_1H_TOKEN] = None
    input_image: Annotated[Rate, Meter.INPUT_IMAGE] = None
    output_image: Annotated[Rate, Meter.OUTPUT_IMAGE] = None
    input_image_tokens: Annotated[Rate, Meter.INPUT_IMAGE_TOKEN] = None
    output_image_tokens: Annotated[Rate, Meter.OUTPUT_IMAGE_TOKEN] = None
    input_audio_tokens: Annotated[Rate, Meter.INPUT_AUDIO_TOKEN] = None
    output_audio_tokens: Annotated[Rate, Meter.OUTPUT_AUDIO_TOKEN] = None
    input_audio_seconds: Annotated[Rate, Meter.INPUT_AUDIO_SECOND] = None
    output_audio_seconds: Annotated[Rate, Meter.OUTPUT_AUDIO_SECOND] = None
    input_video_tokens: Annotated[Rate, Meter.INPUT_VIDEO_TOKEN] = None
    output_video_tokens: Annotated[Rate, Meter.OUTPUT_VIDEO_TOKEN] = None
    input_file_tokens: Annotated[Rate, Meter.INPUT_FILE_TOKEN] = None
    output_file_tokens: Annotated[Rate, Meter.OUTPUT_FILE_TOKEN] = None
    input_characters: Annotated[Rate, Meter.INPUT_CHARACTER] = None
    input_text_bytes: Annotated[Rate, Meter.INPUT_TEXT_BYTE] = None
    cached_read_image_tokens: Annotated[Rate, Meter.CACHE_READ_IMAGE_TOKEN] = None
    cached_read_audio_tokens: Annotated[Rate, Meter.CACHE_READ_AUDIO_TOKEN] = None
    cached_read_video_tokens: Annotated[Rate, Meter.CACHE_READ_VIDEO_TOKEN] = None
    cached_read_file_tokens: Annotated[Rate, Meter.CACHE_READ_FILE_TOKEN] = None
    reasoning_tokens: Annotated[Rate, Meter.REASONING_TOKEN] = None
    request: Annotated[Rate, Meter.REQUEST] = None
    requests: Annotated[Rate, Meter.REQUEST] = None
    web_search: Annotated[Rate, Meter.WEB_SEARCH] = None


class PhaseoStrings(Rates):
    """``pricing`` of a documented model: USD per single unit, strings that were computed in doubles."""

    prompt: Annotated[Rate, Meter.INPUT_TOKEN] = None
    completion: Annotated[Rate, Meter.OUTPUT_TOKEN] = None
    input_cache_read: Annotated[Rate, Meter.CACHE_READ_TOKEN] = None
    input_cache_write: Annotated[Rate, Meter.CACHE_WRITE_TOKEN] = None
    image: Annotated[Rate, Meter.INPUT_IMAGE] = None
    request: Annotated[Rate, Meter.REQUEST] = None
    web_search: Annotated[Rate, Meter.WEB_SEARCH] = None


class PriceSheet(BaseModel):
    """``pricing_detail`` of a model, ``pricing`` of an offer."""

    model_config = ConfigDict(extra="allow")

    pricing_plan: str | None = None
    meters: dict[str, Json] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """Whose prices a sheet holds: all those of ``provider``, or, where that is null, of whomever each meter names.

    ``fallback`` is the source's own name, on which the prices hang that name nobody.
    """

    model_id: str
    fallback: str
    provider: str | None = None

    def scope(self) -> Scope:
        """All that the sheet could speak of."""
        return Scope(model_id=self.model_id, provider=self.provider, region=ANY_REGION if self.provider else None)

    def of(self, entry: Json) -> str | None:
        """Whose price a meter's entry is; null when that cannot be read."""
        if self.provider or not isinstance(entry, dict):
            return self.provider
        named = entry.get("provider_id")
        if named is None or named == "":
            return self.fallback
        return named if isinstance(named, str) else None


@dataclass(frozen=True, slots=True)
class Key:
    """What one price is known by; ``provider`` is null when it cannot be read."""

    model_id: str
    provider: str | None
    plan: str
    meter: Meter

    def scope(self) -> Scope:
        """The key as what is carried on."""
        return Scope(
            model_id=self.model_id,
            provider=self.provider,
            region=ANY_REGION,
            plan=self.plan,
            meter=self.meter,
            tier_start=0,
        )

    def price(self, quoted: Quote, evidence: Evidence, currency: str = USD) -> Price:
        """The price under this key. Raises ``AmountError`` when nobody can be named for it."""
        if self.provider is None:
            raise AmountError("provider_id is no text: whose price is this?")
        return Price(
            model_id=self.model_id,
            provider=self.provider,
            plan=self.plan,
            meter=self.meter,
            quote=quoted,
            currency=currency,
            evidence=evidence,
        )


def publishes(raw: Json) -> bool:
    """Whether a sheet has a meter with a price, good or bad; one that cannot be read may well have."""
    try:
        meters = PriceSheet.model_validate({} if raw is None else raw).meters or {}
    except ValidationError:
        return True
    return any(_is_published(entry) for entry in meters.values())


def put_sheet(tray: Collector, raw: Json, place: Place, owner: Owner) -> None:
    """Put down a sheet's prices, and an endpoint for whomever a meter names. A null sheet publishes nothing."""
    if raw is None:
        return
    try:
        sheet = PriceSheet.model_validate(raw)
    except ValidationError as error:
        tray.quarantine(place, explain(error), raw, owner.scope())
        return
    _report(tray, place.pointer.rpartition("/")[2], sheet.model_extra or {})
    for provider, entries in _by_provider(sheet.meters or {}, owner).items():
        if provider:
            _ensure_endpoint(tray, owner.model_id, provider, place)
        rates = PhaseoMeters.model_validate(entries)
        _report(tray, "meters", rates.unmapped())
        for field, meter, entry in rates.quoted():
            key = Key(owner.model_id, provider, sheet.pricing_plan or STANDARD, meter)
            _put_meter(tray, field, entry, place.at("meters", field), key)


def put_strings(tray: Collector, raw: Json, place: Place, owner: Owner) -> None:
    """Put down ``pricing`` strings, which name no provider: for models that no meter prices."""
    if raw is None:
        return
    if not isinstance(raw, dict):
        scope = Scope(model_id=owner.model_id, provider=owner.fallback, region=ANY_REGION)
        tray.quarantine(place, "pricing is no object", raw, scope)
        return
    rates = PhaseoStrings.model_validate(raw)
    _report(tray, "pricing", rates.unmapped())
    for field, meter, figure in rates.quoted():
        _ensure_endpoint(tray, owner.model_id, owner.fallback, place)
        key, at = Key(owner.model_id, owner.fallback, STANDARD, meter), place.at(field)
        evidence = Evidence(at.page, (Citation(at.pointer, meter),), rounding=TO_A_DOUBLE)
        try:
            tray.price(key.price(quote(out_of_double(amount(figure))), evidence), at, figure)
        except AmountError as error:
            tray.quarantine(at, error, figure, key.scope())


def _put_meter(tray: Collector, field: str, entry: Json, place: Place, key: Key) -> None:
    """One published price; the field that spoils it is what is set aside."""
    if not isinstance(entry, dict):
        tray.quarantine(place, "a meter is no object", entry, key.scope())
        return
    _report(tray, f"meters.{field}", {name: value for name, value in entry.items() if name not in ENTRY_FIELDS})
    figure, at = place.at("price_per_unit"), "unit_size"
    # Its meters are computed in doubles as well: 0.7499999999999999 a million, the next day 0.75.
    per, quoted_at = f"{place.pointer}/{at}", (Citation(figure.pointer, key.meter),)
    evidence = Evidence(place.page, quoted_at, per, rounding=TO_A_DOUBLE)
    try:
        size = _size(entry.get(at))
        at = "currency"
        currency = _currency(entry.get(at))
        at = "price_per_unit"
        quoted = quote(out_of_double(amount(entry[at])), per=size)
        at = "provider_id"
        price = key.price(quoted, evidence, currency)
    except AmountError as error:
        tray.quarantine(place.at(at), error, entry.get(at), key.scope())
    else:
        tray.price(price, figure, entry)


def _size(given: Json) -> Decimal:
    size = amount(given)
    if size <= 0:
        raise AmountError(f"a price per {size} units")
    return size


def _by_provider(meters: Mapping[str, Json], owner: Owner) -> dict[str | None, dict[str, Json]]:
    """The published entries by whose price they are; who is named without a price has none, but is there."""
    groups: dict[str | None, dict[str, Json]] = {}
    for field, entry in meters.items():
        provider, is_published = owner.of(entry), _is_published(entry)
        if entry is not None and (is_published or provider != owner.fallback):
            groups.setdefault(provider, {}).update({field: entry} if is_published else {})
    return groups


def _is_published(entry: Json) -> bool:
    return entry.get("price_per_unit") is not None if isinstance(entry, dict) else entry is not None


def _currency(given: Json) -> str:
    if given is not None and not isinstance(given, str):
        raise AmountError(f"currency {given!r:.80} is no text")
    return (given or "").strip().upper() or USD


def _ensure_endpoint(tray: Collector, model_id: str, provider: str, place: Place) -> None:
    """A price needs a route to hang on, even one that the catalog does not list."""
    if not tray.has_endpoint(model_id, provider, ANY_REGION):
        tray.endpoint(Endpoint(model_id=model_id, provider=provider), place, None)


def _report(tray: Collector, under: str, fields: Mapping[str, Json]) -> None:
    for name, value in fields.items():
        if value is not None:
            tray.unmapped(f"{under}.{name}", value)
