"""Reads landed bytes with our present understanding of the kind that they were landed as."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from etl.domain.catalog import Catalog
from etl.domain.records import Records
from etl.domain.snapshot import Page
from etl.errors import ContractError, in_short
from etl.load import applied, history, landing
from etl.load.landing import Landed
from etl.sources.base import Source
from etl.sources.division import read_changed, read_whole, unchanged
from etl.sources.registry import kinds


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """What is at hand of a landed snapshot: its pages, or what they say, or why they say nothing; else it is read anew.

    A ``reading`` in part is relative to the snapshot that was expected before it.
    """

    pages: Sequence[Page] = ()
    reading: Catalog | str | None = None


NOTHING = Prepared()


def reader(connection: Connection, source: Source[Any], archive: Path | None = None) -> history.Read:
    """Reads landed snapshots of a source, each by the kind that it was landed as, whatever the source is now.

    ``archive`` is where archived bodies are, if not where they were put.
    """

    def read(landed: Landed, former: Records | None = None) -> Catalog:
        pages = landing.pages_of(connection, landed.snapshot_id, archive)
        return _read(fitting_kind(source, landed.kind), pages, former)

    return read


def read_next(
    connection: Connection, landed: Landed, source: Source[Any], archive: Path | None, prepared: Prepared
) -> Catalog:
    """What a landed snapshot says: of some models only, where it follows another one and the rest is as it was there.

    What was ``prepared`` is taken where it is at hand and true here. Raises ``ContractError``.
    """
    former = applied.former(connection, landed)
    if former is not None and former.is_repeated:
        return unchanged(former.records)
    if isinstance(prepared.reading, str):
        raise ContractError(prepared.reading)
    if prepared.reading is not None and _follows(prepared.reading, former):
        return prepared.reading
    fitting = fitting_kind(source, landed.kind)
    pages = prepared.pages or landing.pages_of(connection, landed.snapshot_id, archive)
    return _read(fitting, pages, former.records if former else None)


def _read(source: Source[Any], pages: Sequence[Page], former: Records | None) -> Catalog:
    """What differs from the former records where that can be told, else the whole."""
    changed = None if former is None else read_changed(source, pages, former, read_pages)
    return read_whole(source, pages, read_pages) if changed is None else changed


def _follows(catalog: Catalog, former: applied.Former | None) -> bool:
    """Whether a catalog that was read before is whole, or a part against exactly what the open versions are."""
    return catalog.part is None or (former is not None and former.records.says_as(catalog.part.former))


def fitting_kind(source: Source[Any], kind: str) -> Source[Any]:
    """The source as it was when a snapshot of this kind was taken."""
    if kind == source.kind:
        return source
    fitting = kinds()[kind](source.name)
    fitting.quarantine_limit = source.quarantine_limit
    return fitting


def read_pages(source: Source[Any], pages: Sequence[Page], *, explains: bool = False) -> Catalog:
    """The catalog on the pages; with ``explains`` each price tells what it was made of.

    Raises ``ContractError`` for whatever goes wrong.
    """
    reading = copy(source)
    reading.explains = explains
    try:
        return reading.read(pages)
    except ContractError:
        raise
    except Exception as error:  # a mistake in a reading must not block its source: the bytes can be read again
        raise ContractError(f"{pages[0].url} cannot be read ({in_short(error)}): please report this") from error
