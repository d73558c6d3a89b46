"""Reads landed bytes with our present understanding of the kind that they were landed as."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from etl.domain.catalog import Catalog
from etl.domain.snapshot import Page
from etl.errors import ContractError, in_short
from etl.load import applied, history, landing
from etl.load.landing import Landed
from etl.sources.base import Source
from etl.sources.division import read_changed, read_whole, unchanged
from etl.sources.registry import kinds


def reader(connection: Connection, source: Source[Any], archive: Path | None = None) -> history.Read:
    """Reads landed snapshots of a source, each by the kind that it was landed as, whatever the source is now.

    ``archive`` is where archived bodies are, if not where they were put.
    """

    def read(landed: Landed) -> Catalog:
        pages = landing.pages_of(connection, landed.snapshot_id, archive)
        return read_whole(_fitting(source, landed), pages, read_pages)

    return read


def read_next(
    connection: Connection, source: Source[Any], landed: Landed, pages: Sequence[Page] | None, archive: Path | None
) -> Catalog:
    """What a landed snapshot says: of some models only, where it follows another one and the rest is as it was there.

    ``pages`` are those that were landed, if they are still at hand. Raises ``ContractError``.
    """
    fitting = _fitting(source, landed)
    former = applied.former(connection, landed)
    if former is not None and former.is_repeated:
        return unchanged(former.records)
    pages = pages or landing.pages_of(connection, landed.snapshot_id, archive)
    changed = read_changed(fitting, pages, former.records, read_pages) if former else None
    return changed or read_whole(fitting, pages, read_pages)


def _fitting(source: Source[Any], landed: Landed) -> Source[Any]:
    """The source as it was when the snapshot was landed."""
    return source if landed.kind == source.kind else kinds()[landed.kind](source.name)


def read_pages(source: Source[Any], pages: Sequence[Page]) -> Catalog:
    """The catalog on the pages. Raises ``ContractError`` for whatever goes wrong."""
    try:
        return source.read(pages)
    except ContractError:
        raise
    except Exception as error:  # a mistake in a reading must not block its source: the bytes can be read again
        raise ContractError(f"{pages[0].url} cannot be read ({in_short(error)}): please report this") from error
