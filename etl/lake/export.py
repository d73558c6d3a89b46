"""One export: everything is read in one transaction, so that all tables show the warehouse at one moment."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pyarrow as pa
from sqlalchemy import Connection, Engine, text

from etl.database.engine import one_moment
from etl.errors import ConfigurationError, ExportError
from etl.lake import manifest as manifests
from etl.lake.columns import columns
from etl.lake.manifest import ColumnEntry, FileEntry, Kind, Loaded, Manifest, TableEntry
from etl.lake.parts import Part, parts
from etl.lake.place import Place
from etl.lake.relations import RELATIONS, Relation
from etl.lake.stream import Extent, rows
from etl.load.derive import cursor

Progress = Callable[[int, int], None]


class Shelf(Protocol):
    """Puts tables into a place: Parquet files, or Iceberg tables."""

    written: int
    """Files that were not there already."""

    def schema(self, extent: Extent) -> pa.Schema:
        """The columns of the files of a table."""
        ...

    def put(self, extent: Extent, files: Iterator[Part]) -> TableEntry:
        """Have the files of a table there, seen by nobody yet."""
        ...

    def publish(self, manifest: Manifest) -> Manifest:
        """Make everything that was put the export, and give its manifest, now written."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What to export where, as what.

    ``sources`` null: all of them; ``catalog`` null: an SQLite file beside the tables.
    """

    place: Place
    kind: Kind
    now: datetime
    sources: tuple[str, ...] | None = None
    catalog: str | None = None


@contextmanager
def begun(task: Task) -> Iterator[Manifest | None]:
    """Have a place to oneself, where that can be had; gives the export that is there.

    Raises ``ConfigurationError`` unless a new one may take its place, and ``ExportError``.
    """
    task.place.require_ours(task.kind)
    with task.place.taken(task.kind):
        found = manifests.read(task.place)
        if found is not None and found.sources != task.sources:
            what = "all sources" if found.sources is None else ", ".join(found.sources)
            raise ConfigurationError(f"{task.place.shown} holds an export of {what}: name another place for this one")
        yield found


def export(engine: Engine, task: Task, shelf: Shelf, before: Manifest | None, progress: Progress) -> Manifest:
    """Write the history of the warehouse to a place, whole or not at all. Raises ``ExportError``, ``DBAPIError``."""
    tables = []
    with one_moment(engine) as connection:
        for count, relation in enumerate(RELATIONS):
            progress(count, len(RELATIONS))
            texts = before.texts(relation.name) if before else frozenset()
            tables.append(_table(connection, relation, task.sources, texts, shelf))
        made = Manifest(
            version=manifests.VERSION,
            format=task.kind,
            exported_at=task.now,
            sources=task.sources,
            cursor=cursor(connection),
            snapshots=_loaded(connection, task.sources),
            tables=tuple(tables),
        )
    if manifests.read(task.place) != before:
        raise ExportError(f"{task.place.shown}: somebody else exported into it meanwhile: repeat this")
    return shelf.publish(made)


def _table(
    connection: Connection, relation: Relation, sources: Collection[str] | None, texts: Collection[str], shelf: Shelf
) -> TableEntry:
    extent = Extent(relation=relation, columns=columns(connection, relation, sources, texts), sources=sources)
    try:
        return shelf.put(extent, parts(rows(connection, extent), shelf.schema(extent), relation.group))
    except pa.ArrowException as error:
        what = " ".join(str(error).split())[:200]
        raise ExportError(f"mart.{relation.name} holds what no file can: {what}") from None


def entry_of(extent: Extent, files: Sequence[FileEntry]) -> TableEntry:
    """The table that these files make."""
    dated_by = extent.relation.dated_by
    return TableEntry(
        name=extent.relation.name,
        rows=sum(each.rows for each in files),
        bytes=sum(each.bytes for each in files),
        partitioned_by=("source", f"month({dated_by})") if dated_by else (),
        columns=tuple(
            ColumnEntry(name=each.name, type=str(each.type), postgres=each.postgres, comment=each.comment)
            for each in extent.columns
        ),
        files=tuple(files),
    )


def _loaded(connection: Connection, sources: Sequence[str] | None) -> tuple[Loaded, ...]:
    found = connection.execute(_LAST, {"sources": None if sources is None else list(sources)})
    return tuple(Loaded(**row) for row in found.mappings())


_LAST = text(
    """
    SELECT DISTINCT ON (source) source, snapshot_id, observed_at
      FROM mart.snapshot
     WHERE status IN ('loaded', 'unchanged')
       AND (CAST(:sources AS text[]) IS NULL OR source = ANY(CAST(:sources AS text[])))
     ORDER BY source, observed_at DESC, snapshot_id DESC
    """
)
