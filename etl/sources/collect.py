"""The tray on which a source puts flattened records: keys stay unique, what is set aside is kept with its reason."""

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias, TypeVar

from etl.domain.catalog import (
    Author,
    Catalog,
    Coverage,
    Endpoint,
    Json,
    Model,
    Price,
    Provider,
    Quarantined,
    Scope,
    Unmapped,
)
from etl.domain.jsontext import is_storable, sort_key
from etl.domain.meters import AmountError, plain
from etl.sources.base import Place
from etl.sources.quarantine import LIMIT, Quarantine, cut

PLACEHOLDER_EPOCH = 1_704_067_200
"""2024-01-01, which gateways send as ``created`` when they do not know it."""

LAST_EPOCH = 253_402_300_799
"""The last second of the year 9999. A longer number is not even worth converting: ``1e99999999`` has so many digits."""


LONGEST_KEY = 2000
"""Bytes of all parts of a key together: an index of Postgres holds no more than 2,704 in a row."""

LONGEST_FIELD = 500
"""Bytes of the name of a field that is indexed as it is."""

MOST_FIELDS = 1000
"""Price fields without a meter that are counted each for itself; the others are counted together."""

FURTHER = "(further fields)"
"""What the others are counted under; the example is the name of the first of them."""

LONGEST_EXAMPLE = 1000
"""Characters of the example of a price field without a meter."""

Key: TypeAlias = tuple[str | int, ...]
T = TypeVar("T")


class Collector:
    """Collects one snapshot's records. Of two records with one key the first is kept, the second quarantined."""

    def __init__(self, *, explains: bool = True, limit: int = LIMIT) -> None:
        self.explains = explains
        self._limit = limit
        self._models: dict[Key, tuple[Model, Place]] = {}
        self._endpoints: dict[Key, tuple[Endpoint, Place]] = {}
        self._prices: dict[Key, tuple[Price, Place]] = {}
        self._providers: dict[str, Provider] | None = None
        self._authors: dict[str, Author] | None = None
        self._quarantine = Quarantine(limit)
        self._unmapped: dict[str, Unmapped] = {}
        self._finest: dict[str, int] = {}

    def model(self, model: Model, place: Place, record: Json) -> bool:
        """Put a model down; false when its id was already there."""
        return self._put(self._models, (model.model_id,), model, place, record)

    def endpoint(self, endpoint: Endpoint, place: Place, record: Json) -> bool:
        """Put an endpoint down; false when its key was already there."""
        key = (endpoint.model_id, endpoint.provider, endpoint.region)
        return self._put(self._endpoints, key, endpoint, place, record)

    def has_endpoint(self, model_id: str, provider: str, region: str) -> bool:
        """Whether the endpoint was put down already."""
        return (model_id, provider, region) in self._endpoints

    def price(self, price: Price, place: Place, record: Json) -> bool:
        """Put a price down; false when its key was already there. ``record`` is its figure, or what holds it."""
        key = (price.model_id, price.provider, price.region, price.plan, price.meter, price.tier_start)
        is_new = self._put(self._prices, key, price, place, record)
        if is_new and (unit_price := price.quote.unit_price):
            self._refine(price.model_id, record, unit_price)
        return is_new

    def provider(self, provider: Provider) -> None:
        """Put a provider's name down; the first one stays. Sources repeat it with every model."""
        if not is_storable_key(provider.provider):
            return
        self._providers = self._providers or {}
        self._providers.setdefault(provider.provider, provider)

    def author(self, author: Author) -> None:
        """Put an author's name down; the first one stays."""
        if not is_storable_key(author.author):
            return
        self._authors = self._authors or {}
        self._authors.setdefault(author.author, author)

    def lists_names(self) -> None:
        """Say that this snapshot lists providers and authors, even if it should list none."""
        self._providers = self._providers or {}
        self._authors = self._authors or {}

    def quarantine(self, place: Place, reason: AmountError | str, record: Json, *scopes: Scope) -> None:
        """Set a record aside; what history knows under the scopes is carried on."""
        entry = Quarantined(page=place.page, pointer=place.pointer, reason=str(reason), record=record, scopes=scopes)
        self._quarantine.add(entry)

    def quarantine_repeated(self, place: Place, first: Place, key: Key, record: Json) -> None:
        """Set a record aside whose key stands at ``first`` already: it changes nothing (contract, rule 4)."""
        shown = ", ".join(map(str, key))
        self.quarantine(place, f"same key as {first.pointer} of page {first.page}: {shown}", record)

    def unmapped(self, field: str, example: Json) -> None:
        """Count a price field that maps to no meter; one with an endless name by its beginning and a digest."""
        field = shortened(field)
        known = self._unmapped.get(field)
        if known is None and len(self._unmapped) >= MOST_FIELDS:
            field, example = FURTHER, field
            known = self._unmapped.get(field)
        self._unmapped[field] = Unmapped(
            field=field,
            count=known.count + 1 if known else 1,
            example=known.example if known else cut(example, LONGEST_EXAMPLE),
        )

    def build(self, coverage: Coverage, quarantined: tuple[Quarantined, ...] = ()) -> Catalog:
        """The catalog; ``quarantined`` are the records that could not even be parsed.

        With a record whose key nobody can tell, nothing that is absent is proven gone (contract, rule 4).
        """
        quarantine = Quarantine(self._limit)
        for entry in (*quarantined, *self._quarantine.records()):
            quarantine.add(entry)
        aside = quarantine.records()
        keyless = sum(record.count for record in aside if Scope() in record.scopes)
        if keyless and coverage.is_complete:
            records = "1 record" if keyless == 1 else f"{keyless} records"
            reason = f"{records} without a readable key: nothing that is missing counts as removed"
            coverage = Coverage(is_complete=False, reason=reason, providers=frozenset())
        return Catalog(
            models=tuple(model for model, _ in self._models.values()),
            endpoints=tuple(endpoint for endpoint, _ in self._endpoints.values()),
            prices=tuple(price for price, _ in self._prices.values()),
            providers=None if self._providers is None else tuple(self._providers.values()),
            authors=None if self._authors is None else tuple(self._authors.values()),
            quarantined=aside,
            unmapped=tuple(self._unmapped[field] for field in sorted(self._unmapped)),
            coverage=coverage,
            finest=self._finest,
        )

    def _refine(self, model_id: str, record: Json, unit_price: Decimal) -> None:
        """Note how finely a price is written: a figure counts that is itself the price of one unit, with all zeros."""
        figure = Decimal(record.strip()) if type(record) is str else record
        if figure != unit_price:
            return
        digits = max(0, -int(Decimal(figure).as_tuple().exponent))
        if digits > self._finest.get(model_id, -1):
            self._finest[model_id] = digits

    def _put(self, shelf: dict[Key, tuple[T, Place]], key: Key, value: T, place: Place, record: Json) -> bool:
        if not is_storable_key(*key):
            self.quarantine(place, f"its key is longer than {LONGEST_KEY} bytes", record)
            return False
        if key in shelf:
            self.quarantine_repeated(place, shelf[key][1], key, record)
            return False
        shelf[key] = (value, place)
        return True


def shortened(field: str) -> str:
    """The name of a field, or of a very long one its beginning and a digest, so that no two become one."""
    name = field.encode()
    return field if len(name) <= LONGEST_FIELD else f"{field[:100]}… {hashlib.sha256(name).hexdigest()[:16]}"


def is_storable_key(*parts: str | int) -> bool:
    """Whether a key is short enough to be indexed."""
    return len("".join(map(str, parts)).encode()) <= LONGEST_KEY


def epoch(seconds: Json) -> datetime | None:
    """The UTC time of epoch seconds; null for null, for the stand-in that means unknown, for what no calendar has."""
    if seconds is None or seconds == PLACEHOLDER_EPOCH or not -LAST_EPOCH <= seconds <= LAST_EPOCH:
        return None
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def moment(text: str | None) -> datetime | None:
    """The UTC time of an ISO 8601 text; a naive one is UTC. Null for null, for the placeholder, for no date at all."""
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return None if time.timestamp() == PLACEHOLDER_EPOCH else time


def names(values: Json) -> tuple[str, ...] | None:
    """A list of names as a sorted tuple without repeats: order in catalogs means nothing. Null stays null."""
    return None if values is None else tuple(sorted(set(map(str, values))))


def unordered(value: Json) -> Json:
    """The same JSON with every list sorted, every number plain and no nulls, so that equal answers are equal values.

    A null says nothing, so a field that comes as null is no change. A number that no database could hold becomes text.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return {key: unordered(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return sorted(map(unordered, value), key=sort_key)
    if isinstance(value, Decimal):
        return plain(value) if is_storable(value) else str(value)
    return value
