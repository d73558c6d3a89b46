"""Prepares saved snapshots for loading, without a database: bytes packed, and read against the snapshot before them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from etl.domain.catalog import Catalog
from etl.domain.records import Records
from etl.domain.snapshot import Page, Snapshot
from etl.errors import ContractError, EtlError
from etl.load.parcel import Parcel, parcel_of
from etl.reading import Prepared, fitting_kind, read_pages
from etl.sources.base import Source
from etl.sources.division import read_changed, read_whole, unchanged


class Readable(Protocol):
    """A saved snapshot that is not read yet."""

    def read(self, source: str, kind: str) -> Snapshot:
        """The snapshot. Raises ``EtlError`` when it cannot be read."""


class _Former(NamedTuple):
    """The last snapshot that was read, and its records where these tell all that it says."""

    entry: Readable
    kind: str
    fingerprint: bytes
    records: Records | None


class Preparer:
    """Prepares snapshots of one source in order of time; ``known`` ones, by time and fingerprint, are not read again.

    The records of the last one that was read are kept, so that of the next one only what differs is read.
    """

    def __init__(self, source: Source[Any], known: Mapping[datetime, bytes]) -> None:
        self._source = source
        self._known = known
        self._before: Readable | None = None
        self._former: _Former | None = None

    def chunk(
        self, before: Readable | None, entries: Sequence[Readable]
    ) -> tuple[list[tuple[Parcel, Prepared]], EtlError | None]:
        """Snapshots that follow the one ``before`` them, as far as their files can be read, and why no further."""
        self._before = before
        done = []
        for entry in entries:
            try:
                done.append(self._prepare(entry))
            except EtlError as error:
                return done, error
        return done, None

    def _prepare(self, entry: Readable) -> tuple[Parcel, Prepared]:
        snapshot = entry.read(self._source.name, self._source.kind)
        parcel = parcel_of(snapshot)
        if self._known.get(snapshot.observed_at) == parcel.fingerprint:
            self._before = entry
            return parcel.empty(), Prepared()
        try:
            self._catch_up()
            catalog = self._next(entry, parcel, snapshot.pages)
        except ContractError as error:
            return parcel.packed(), Prepared(reading=str(error))
        return parcel.packed(), Prepared(reading=_portable(catalog))

    def _catch_up(self) -> None:
        """Have read the snapshot before, if that can be done."""
        before = self._before
        if before is not None and (self._former is None or self._former.entry != before):
            try:
                snapshot = before.read(self._source.name, self._source.kind)
                self._next(before, parcel_of(snapshot), snapshot.pages)
            except EtlError:
                self._former = None

    def _next(self, entry: Readable, parcel: Parcel, pages: Sequence[Page]) -> Catalog:
        """What the pages say, in part where something is known from before; the next one follows it."""
        catalog = self._part(parcel, pages) or read_whole(fitting_kind(self._source, parcel.kind), pages, read_pages)
        self._former = _Former(entry, parcel.kind, parcel.fingerprint, catalog.records)
        self._before = entry
        return catalog

    def _part(self, parcel: Parcel, pages: Sequence[Page]) -> Catalog | None:
        """What the pages say otherwise than those before; null when that cannot be told."""
        former = self._former
        if former is None or former.records is None or former.kind != parcel.kind:
            return None
        if former.fingerprint == parcel.fingerprint:
            return unchanged(former.records)
        return read_changed(fitting_kind(self._source, parcel.kind), pages, former.records, read_pages)


def _portable(catalog: Catalog) -> Catalog:
    """The catalog as it can be sent: nothing is loaded of what prices were read from."""
    return replace(catalog, prices=tuple(replace(price, evidence=None) for price in catalog.prices))
