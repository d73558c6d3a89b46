"""The work of one task: reads its snapshots as every other reading does, and tells what they show in runs.

A run is a row with one value in neighbouring snapshots of the task. Most of a catalog stays as it is from one snapshot
to the next, so that there are far fewer runs than rows. Besides those of history there are runs of what a snapshot
says of itself: ``coverage`` and the scopes of which it cannot speak. A ``snapshot``, what was set aside of it
(``quarantine``) and what it has no meter for (``unmapped_field``) have a row each.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from etl.domain.catalog import Catalog, Price, Scope
from etl.errors import ContractError
from etl.load import relations
from etl.load.relations import Relation
from etl.reading import read_pages
from etl.sources.registry import kinds
from etl.spark import canonical
from etl.spark.bodies import Opened
from etl.spark.plan import Group, Item

KEY = ("model_id", "provider", "region", "plan", "meter", "tier_start", "author")
"""Every column that is part of a key; null where a relation does not have it."""

Key = tuple[Any, ...]

Shown = dict[tuple[str, Key], Any]
"""By relation and key, the values that a snapshot shows: as text, or as a tuple that is compared by value."""


class Piece(NamedTuple):
    """A run within one task, or a row about one snapshot: ``first`` and ``last`` are ordinals, ``value`` is text."""

    source: str
    relation: str
    key: Key
    first: int
    last: int
    value: str


Read = Callable[[Item], Catalog]
"""Reads a snapshot; the same object again where the bytes are those of the one before. Raises ``ContractError``."""


def reader(source: str, bodies: Opened) -> Read:
    """Reads the snapshots of a source one after the other."""
    sources = {kind: each(source) for kind, each in kinds().items()}
    before: tuple[Any, Catalog] | None = None

    def read(item: Item) -> Catalog:
        nonlocal before
        pages = bodies.pages(item)
        # All that a reading depends on: the same gives the same catalog, which need not be read twice.
        known = item.kind, tuple((page.number, page.status, page.body) for page in pages)
        if before is None or before[0] != known:
            before = known, read_pages(sources[item.kind], pages)
        return before[1]

    return read


def pieces(group: Group, read: Read) -> Iterator[Piece]:
    """What the snapshots of a group show. What cannot be read is told as such and shows nothing."""
    runs = Runs(group.source)
    before: tuple[Catalog, Shown] | None = None
    for item in group.items:
        try:
            catalog = read(item)
        except ContractError as error:
            yield _snapshot(group.source, item, str(error))
            continue
        if before is None or before[0] is not catalog:
            before = catalog, shown(catalog)
        yield _snapshot(group.source, item, None)
        yield from _set_aside(group.source, item, catalog)
        yield from runs.show(item.ordinal, before[1])
    yield from runs.end()


class Runs:
    """Tells runs as they end. Whoever is shown again with the same value goes on."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._running: dict[tuple[str, Key], tuple[Any, int]] = {}
        self._shown: Shown | None = None
        self._last = 0

    def show(self, ordinal: int, now: Shown) -> Iterator[Piece]:
        """The runs that end before a snapshot because it does not go on with them."""
        if now is not self._shown:
            ended = [key for key, (value, _) in self._running.items() if key not in now or now[key] != value]
            for key in ended:
                yield self._piece(key, *self._running.pop(key))
            for key, value in now.items():
                self._running.setdefault(key, (value, ordinal))
        self._shown, self._last = now, ordinal

    def end(self) -> Iterator[Piece]:
        """The runs that last until the end of the group."""
        for key, (value, first) in self._running.items():
            yield self._piece(key, value, first)

    def _piece(self, key: tuple[str, Key], value: Any, first: int) -> Piece:
        text = value if isinstance(value, str) else _price_text(value)
        return Piece(self._source, *key, first, self._last, text)


def shown(catalog: Catalog) -> Shown:
    """What a catalog shows, and how far it can be believed that it shows no more."""
    found: Shown = {("coverage", _NO_KEY): _coverage(catalog)}
    for quarantined in catalog.quarantined:
        found |= {("scope", _scope(scope)): "{}" for scope in quarantined.scopes}
    for price in catalog.prices:
        found["price", _price_key(price)] = (price.currency, price.quote.state.value, price.quote.unit_price)
    for relation, records in _listed(catalog):
        for record in records:
            values = {name: getattr(record, name) for name in relation.values}
            found[relation.name, _key(relation, record)] = canonical.text_of(values)
    return found


_NO_KEY: Key = (None,) * len(KEY)


def _listed(catalog: Catalog) -> Iterator[tuple[Relation, Sequence[Any]]]:
    yield relations.model, catalog.models
    yield relations.endpoint, catalog.endpoints
    yield relations.provider, catalog.providers or ()
    yield relations.author, catalog.authors or ()


def _key(relation: Relation, record: Any) -> Key:
    return tuple(getattr(record, name) if name in relation.key else None for name in KEY)


def _price_key(price: Price) -> Key:
    return (price.model_id, price.provider, price.region, price.plan, price.meter.value, price.tier_start, None)


def _scope(scope: Scope) -> Key:
    meter = scope.meter and scope.meter.value
    return (scope.model_id, scope.provider, scope.region, scope.plan, meter, scope.tier_start, None)


def _price_text(value: tuple[Any, ...]) -> str:
    return canonical.text_of(dict(zip(relations.price.values, value, strict=True)))


def _coverage(catalog: Catalog) -> str:
    covered = catalog.coverage.providers
    told = {
        "is_complete": catalog.coverage.is_complete,
        "providers": None if covered is None else tuple(sorted(covered)),
        "lists_providers": catalog.providers is not None,
        "lists_authors": catalog.authors is not None,
    }
    return canonical.text_of(told)


def _snapshot(source: str, item: Item, failure: str | None) -> Piece:
    told = {
        "snapshot_id": item.snapshot_id,
        "observed_at": item.observed_at,
        "status": item.status,
        "failure": failure,
    }
    return _row(source, "snapshot", item, told)


def _set_aside(source: str, item: Item, catalog: Catalog) -> Iterator[Piece]:
    snapshot = {"snapshot_id": item.snapshot_id}
    for each in catalog.quarantined:
        told = {"page": each.page, "pointer": each.pointer, "reason": each.reason, "count": each.count}
        yield _row(source, "quarantine", item, snapshot | told | {"record": canonical.json(each.record)})
    for field in catalog.unmapped:
        told = {"field": field.field, "count": field.count, "example": canonical.json(field.example)}
        yield _row(source, "unmapped_field", item, snapshot | told)


def _row(source: str, relation: str, item: Item, values: Mapping[str, Any]) -> Piece:
    return Piece(source, relation, _NO_KEY, item.ordinal, item.ordinal, canonical.text_of(values))
