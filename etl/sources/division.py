"""Reads of a catalog only the records whose bytes are new: a record that came before in the same bytes says the same.

That holds for sources that name the place of their records (``Source.records``), where each record makes one model
with its endpoints and prices, and nothing else. Whatever is out of the ordinary is left to a reading of the whole.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
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

_LARGE = 4_000_000
"""Bytes of a body beyond which it is read in pieces: as JSON in memory it takes six times as much."""

_PIECE = 500
"""Records of a piece, unless there would be more than ``_MOST_PIECES``: all records are looked through for each."""

_MOST_PIECES = 50


class _Divided(NamedTuple):
    """A page taken apart: the objects around its list of records, from the outside in, and the records as they came."""

    page: Page
    path: tuple[str, ...]
    levels: tuple[dict[str, msgspec.Raw], ...]
    records: tuple[msgspec.Raw, ...]
    digests: tuple[bytes, ...]

    def chosen(self, wanted: AbstractSet[bytes]) -> Iterable[msgspec.Raw]:
        """The records that have these digests."""
        return (raw for raw, digest in zip(self.records, self.digests, strict=True) if digest in wanted)

    def with_records(self, records: Iterable[bytes | msgspec.Raw]) -> Page:
        """The same page with other records."""
        body = b"[" + b",".join(map(bytes, records)) + b"]"
        for name, level in zip(reversed(self.path), reversed(self.levels), strict=True):
            body = msgspec.json.encode(level | {name: msgspec.Raw(body)})
        return replace(self.page, body=body)


def read_whole(source: Source[Any], pages: Sequence[Page], read: Read) -> Catalog:
    """The catalog on the pages, with its records where these can be told apart the next time.

    A large one is read piece by piece, lest all of its documents be in memory at once.
    """
    divided = _divided(source, pages)
    if divided is not None and sum(len(page.body) for page in pages) > _LARGE:
        catalog = _read_in_pieces(source, divided, read)
        if catalog is not None:
            return catalog
    catalog = read(source, pages)
    if divided is None or not catalog.is_plain:
        return catalog
    digests = _digests(divided)
    if len(digests) != len(catalog.models) or len(set(digests)) != len(digests):
        return catalog
    return replace(catalog, records=Records(_envelope(divided), tuple(_records(digests, catalog))))


def read_changed(source: Source[Any], pages: Sequence[Page], former: Records, read: Read) -> Catalog | None:
    """What the pages say otherwise than the snapshot whose records are ``former``; null when that cannot be told."""
    divided = _divided(source, pages)
    if divided is None:
        return None
    digests = _digests(divided)
    now = set(digests)
    fresh = now - former.by_digest.keys()
    made = _read_some(source, divided, fresh, read) if len(now) == len(digests) else None
    if made is None:
        return None
    catalog, found = made
    gone = {record.model_id for record in former.each if record.digest not in now}
    kept = {record.model_id for record in former.each if record.digest in now}
    told = {record.model_id for record in found}
    if kept & told:
        return None
    known = former.by_digest | {record.digest: record for record in found}
    records = Records(_envelope(divided), tuple(known[digest] for digest in digests))
    if _coverage(source, divided, records) != Coverage():
        return None
    if records.envelope == former.envelope:
        catalog = replace(catalog, providers=None, authors=None)
    part = Part(models=frozenset(gone | told), former=former)
    return replace(catalog, coverage=Coverage(), records=records, part=part)


def unchanged(former: Records) -> Catalog:
    """What a snapshot says that came in the same bytes as the one before it."""
    return Catalog(records=former, part=Part(models=frozenset(), former=former))


def _read_in_pieces(source: Source[Any], divided: Sequence[_Divided], read: Read) -> Catalog | None:
    """The whole catalog, put together from pieces; null where anything is out of the ordinary."""
    digests = _digests(divided)
    if len(set(digests)) != len(digests):
        return None
    catalogs: list[Catalog] = []
    records: list[Record] = []
    size = max(_PIECE, len(digests) // _MOST_PIECES)
    for start in range(0, len(digests), size):
        made = _read_some(source, divided, set(digests[start : start + size]), read)
        if made is None:
            return None
        catalogs.append(made[0])
        records += made[1]
    whole = Records(_envelope(divided), tuple(records))
    if len({record.model_id for record in records}) != len(records):
        return None
    if not catalogs or _coverage(source, divided, whole) != Coverage():
        return None
    return replace(
        catalogs[0],
        models=tuple(model for each in catalogs for model in each.models),
        endpoints=tuple(endpoint for each in catalogs for endpoint in each.endpoints),
        prices=tuple(price for each in catalogs for price in each.prices),
        finest={name: digits for each in catalogs for name, digits in each.finest.items()},
        coverage=Coverage(),
        records=whole,
    )


def _read_some(
    source: Source[Any], divided: Sequence[_Divided], wanted: AbstractSet[bytes], read: Read
) -> tuple[Catalog, tuple[Record, ...]] | None:
    """The catalog that some of the records make within their envelope, and these records; null unless all is well."""
    pages = [each.with_records(each.chosen(wanted)) for each in divided]
    try:
        catalog = read(source, pages)
    except ContractError:
        return None
    digests = [digest for digest in _digests(divided) if digest in wanted]
    if catalog.quarantined or catalog.unmapped or len(catalog.models) != len(digests):
        return None
    return catalog, tuple(_records(digests, catalog))


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
    except (ValueError, KeyError, RecursionError):  # no JSON, no text, not there, too deep: a whole reading tells
        return None


def _divide(page: Page, path: tuple[str, ...]) -> _Divided:
    levels: list[dict[str, msgspec.Raw]] = []
    inner: bytes | msgspec.Raw = page.body
    for name in path:
        levels.append(_LEVEL.decode(inner))
        inner = levels[-1][name]
    records = tuple(_LIST.decode(inner))
    return _Divided(page, path, tuple(levels), records, tuple(map(_digest, records)))


def _digests(divided: Iterable[_Divided]) -> list[bytes]:
    """The digests of the records of all pages, in their order."""
    return [digest for each in divided for digest in each.digests]


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
