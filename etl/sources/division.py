"""Reads of a catalog only the records whose bytes are new: a record that came before in the same bytes says the same.

That holds for sources that name the place of their records (``Source.records``), where each record makes one model
with its endpoints and prices, and nothing else. Whatever is out of the ordinary is left to a reading of the whole.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec

from etl.domain.catalog import Catalog, Coverage, Part
from etl.domain.records import Record, Records
from etl.domain.snapshot import Page
from etl.errors import ContractError
from etl.sources.base import Source

Read = Callable[[Source[Any], Sequence[Page]], Catalog]
"""Reads whole pages. Raises ``ContractError``."""

_LEVEL = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_DIGEST = 16
"""Bytes of a digest: that two records of one source share one by chance will not be seen."""


class _Divided(NamedTuple):
    """A page taken apart: the objects around its list of records, from the outside in, and the records as they came."""

    page: Page
    path: tuple[str, ...]
    levels: tuple[dict[str, msgspec.Raw], ...]
    records: tuple[msgspec.Raw, ...]

    def with_records(self, records: Iterable[bytes | msgspec.Raw]) -> Page:
        """The same page with other records."""
        body = b"[" + b",".join(map(bytes, records)) + b"]"
        for name, level in zip(reversed(self.path), reversed(self.levels), strict=True):
            body = msgspec.json.encode(level | {name: msgspec.Raw(body)})
        return replace(self.page, body=body)


def read_whole(source: Source[Any], pages: Sequence[Page], read: Read) -> Catalog:
    """The catalog on the pages, with its records where these can be told apart the next time."""
    catalog = read(source, pages)
    divided = _divided(source, pages) if catalog.is_plain else None
    if divided is None:
        return catalog
    digests = [_digest(raw) for each in divided for raw in each.records]
    if len(digests) != len(catalog.models) or len(set(digests)) != len(digests):
        return catalog
    return replace(catalog, records=Records(_envelope(divided), tuple(_records(digests, catalog))))


def read_changed(source: Source[Any], pages: Sequence[Page], former: Records, read: Read) -> Catalog | None:
    """What the pages say otherwise than the snapshot whose records are ``former``; null when that cannot be told."""
    divided = _divided(source, pages)
    if divided is None:
        return None
    digests = [[_digest(raw) for raw in each.records] for each in divided]
    now = {digest for page in digests for digest in page}
    if len(now) != sum(map(len, digests)):
        return None
    envelope = _envelope(divided)
    fresh = _fresh(source, divided, digests, former, read)
    if fresh is None:
        return None
    catalog, made = fresh
    gone = {record.model_id for record in former.each if record.digest not in now}
    kept = {record.model_id for record in former.each if record.digest in now}
    if kept & made.keys():
        return None
    known = former.by_digest | {record.digest: record for record in made.values()}
    records = Records(envelope, tuple(known[digest] for page in digests for digest in page))
    if _coverage(source, divided, records) != Coverage():
        return None
    if envelope == former.envelope:
        catalog = replace(catalog, providers=None, authors=None)
    part = Part(models=frozenset(gone | made.keys()), former=former)
    return replace(catalog, coverage=Coverage(), records=records, part=part)


def unchanged(former: Records) -> Catalog:
    """What a snapshot says that came in the same bytes as the one before it."""
    return Catalog(records=former, part=Part(models=frozenset(), former=former))


def _fresh(
    source: Source[Any], divided: Sequence[_Divided], digests: Sequence[Sequence[bytes]], former: Records, read: Read
) -> tuple[Catalog, dict[str, Record]] | None:
    """The catalog that the new records make within the present envelope, and these records by model."""
    is_new = [[digest not in former.by_digest for digest in page] for page in digests]
    pages = [
        each.with_records(raw for raw, new in zip(each.records, flags, strict=True) if new)
        for each, flags in zip(divided, is_new, strict=True)
    ]
    try:
        catalog = read(source, pages)
    except ContractError:
        return None
    fresh = [digest for page in digests for digest in page if digest not in former.by_digest]
    if catalog.quarantined or catalog.unmapped or len(catalog.models) != len(fresh):
        return None
    return catalog, {record.model_id: record for record in _records(fresh, catalog)}


def _records(digests: Sequence[bytes], catalog: Catalog) -> Iterable[Record]:
    """The records of a catalog that makes one model of each, in their order."""
    endpoints = Counter(endpoint.model_id for endpoint in catalog.endpoints)
    prices = Counter(price.model_id for price in catalog.prices)
    for digest, model in zip(digests, catalog.models, strict=True):
        name = model.model_id
        yield Record(digest, name, endpoints[name], prices[name], catalog.finest.get(name))


def _coverage(source: Source[Any], divided: Sequence[_Divided], records: Records) -> Coverage | None:
    """How far the pages prove an absence; of a record that looks at nothing but its id."""
    ids = iter(record.model_id for record in records.each)
    thin = [each.with_records(msgspec.json.encode({"id": next(ids)}) for _ in each.records) for each in divided]
    try:
        return source.coverage(thin)
    except ContractError:
        return None


def _divided(source: Source[Any], pages: Sequence[Page]) -> list[_Divided] | None:
    """The pages taken apart; null when the source does not say where its records stand, or they do not stand there."""
    if source.records is None:
        return None
    try:
        return [_divide(page, source.records) for page in pages]
    except (msgspec.DecodeError, KeyError):
        return None


def _divide(page: Page, path: tuple[str, ...]) -> _Divided:
    levels: list[dict[str, msgspec.Raw]] = []
    inner: bytes | msgspec.Raw = page.body
    for name in path:
        levels.append(_LEVEL.decode(inner))
        inner = levels[-1][name]
    return _Divided(page, path, tuple(levels), tuple(_LIST.decode(inner)))


def _digest(raw: msgspec.Raw) -> bytes:
    return hashlib.sha256(raw).digest()[:_DIGEST]


def _envelope(divided: Iterable[_Divided]) -> bytes:
    """The digest of all that stands around the records of all pages."""
    around = hashlib.sha256()
    for each in divided:
        for name, level in zip(each.path, each.levels, strict=True):
            rest = {key: level[key] for key in sorted(level) if key != name}
            around.update(msgspec.json.encode(rest))
    return around.digest()[:_DIGEST]
