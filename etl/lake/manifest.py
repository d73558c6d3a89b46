"""What an export is: its files with their checksums, and the state of the warehouse that they show.

It is written last. Who reads the files that it names, and no others, reads one whole export.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Self

import msgspec

from etl.errors import ConfigurationError
from etl.lake.parts import Part
from etl.lake.place import Place

NAME = "manifest.json"
VERSION = 1

Kind = Literal["parquet", "iceberg"]


class ColumnEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A column: its type in the files, in Arrow's words, its type in Postgres, and its meaning."""

    name: str
    type: str
    postgres: str
    comment: str


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A file below the place, with its size in bytes."""

    path: str
    rows: int
    bytes: int
    sha256: str
    source: str | None
    month: str | None

    @classmethod
    def of(cls, file: Part, path: str) -> Self:
        """The entry of a file at a path."""
        where = file.partition
        return cls(
            path=path, rows=file.rows, bytes=file.bytes, sha256=file.sha256, source=where.source, month=where.month
        )


class TableEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A table: a relation of the mart. Of an Iceberg table also its snapshot and where its metadata are."""

    name: str
    rows: int
    bytes: int
    partitioned_by: tuple[str, ...]
    columns: tuple[ColumnEntry, ...]
    files: tuple[FileEntry, ...]
    snapshot_id: int | None = None
    metadata: str | None = None


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """The last snapshot of a source that its history is made of."""

    source: str
    snapshot_id: int
    observed_at: datetime


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """An export. ``sources`` null: of all; ``cursor`` is how far the feed of changes went (``etl changes --since``)."""

    version: int
    format: Kind
    exported_at: datetime
    sources: tuple[str, ...] | None
    cursor: int
    snapshots: tuple[Loaded, ...]
    tables: tuple[TableEntry, ...]

    @property
    def files(self) -> Mapping[str, FileEntry]:
        """Every file by its path."""
        return {file.path: file for table in self.tables for file in table.files}

    def texts(self, table: str) -> frozenset[str]:
        """The amounts of a table that are text."""
        return frozenset(
            column.name
            for each in self.tables
            if each.name == table
            for column in each.columns
            if column.postgres == "numeric" and column.type == "string"
        )


def read(place: Place) -> Manifest | None:
    """The manifest of a place; null when there is none yet. Raises ``ConfigurationError`` for what is none of ours."""
    found = place.read(NAME)
    if found is None:
        return None
    try:
        versions: dict[str, Any] = msgspec.json.decode(found)
        if versions["version"] != VERSION:
            what = f"an export of version {versions['version']}, and this version writes {VERSION}"
            raise ConfigurationError(f"{place.shown} holds {what}: name another place")
        return msgspec.json.decode(found, type=Manifest)
    except (msgspec.MsgspecError, KeyError, TypeError) as error:
        what = " ".join(str(error).split())
        raise ConfigurationError(
            f"{place.shown}/{NAME} is damaged: {what}; remove the export, or name another"
        ) from None


def write(place: Place, manifest: Manifest) -> None:
    """Put a manifest in the place of the former one. Raises ``ExportError``."""
    place.write(NAME, msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
