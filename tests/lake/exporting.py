"""Exports of invented histories, read back by other programs than the one that wrote them."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from pyarrow import parquet
from pyiceberg.table import StaticTable
from sqlalchemy import Engine, text

from etl.lake import manifest as manifests
from etl.lake.export import Task
from etl.lake.manifest import Kind, Manifest, TableEntry
from etl.lake.place import Place
from etl.lake.run import Exported, run
from tests.load.believing import load
from tests.load.worlds import World

NOW = datetime(2028, 1, 1, tzinfo=UTC)

KINDS: tuple[Kind, ...] = ("parquet", "iceberg")

both = pytest.mark.parametrize("kind", ["parquet", pytest.param("iceberg", marks=pytest.mark.slow)])
"""Says the same of both; Iceberg's fourteen tables take seconds."""

FIRST = World({"openai/m0": ("A", {"prompt": "1e-6", "completion": "0.000003"}), "groq/m0": ("B", {"prompt": "2"})})
SECOND = World({"openai/m0": ("A", {"prompt": "2e-6"}), "groq/m0": ("B", {"prompt": "2"}), "groq/m1": ("C", {})})
LONG = World({"openai/m0": ("A", {"prompt": "0.000000000000000000000123"})})
"""A price with 24 decimals."""


def exported(
    engine: Engine,
    place: Path | str,
    kind: Kind = "parquet",
    *,
    sources: tuple[str, ...] | None = None,
    catalog: str | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Exported:
    """Export a warehouse to a place."""
    task = Task(place=Place.at(str(place)), kind=kind, now=NOW, sources=sources, catalog=catalog)
    return run(engine, task, progress)


def manifest(place: Path) -> Manifest:
    """The manifest of a place, of which every file is there as it says."""
    found = manifests.read(Place.at(str(place)))
    assert found is not None
    for file in found.files.values():
        content = (place / file.path).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.bytes, file.sha256), file
    return found


def entry(place: Path, name: str) -> TableEntry:
    """A table of an export."""
    [found] = [table for table in manifest(place).tables if table.name == name]
    return found


def read(place: Path, name: str) -> pa.Table:
    """A table of an export, as a reader of its kind sees it who goes by the manifest."""
    table = entry(place, name)
    if table.metadata:
        return StaticTable.from_metadata(table.metadata).scan().to_arrow()
    pieces = [parquet.ParquetFile(place / file.path).read() for file in table.files]
    return pa.concat_tables(pieces) if pieces else pa.table({column.name: [] for column in table.columns})


def rows(place: Path, name: str) -> list[dict[str, Any]]:
    """The rows of a table of an export, in an order of their own."""
    return ordered([{key: plain(value) for key, value in row.items()} for row in read(place, name).to_pylist()])


def believed(engine: Engine, name: str) -> list[dict[str, Any]]:
    """The same from the mart."""
    with engine.connect() as connection:
        found = connection.execute(text(f"SELECT * FROM mart.{name}")).mappings()
        return ordered([{key: plain(value) for key, value in row.items()} for row in found])


def plain(value: Any) -> Any:
    """A value whatever way it came: amounts and times as text, JSON as what it says, spans as seconds."""
    match value:
        case Decimal():
            return f"{value.normalize():f}"
        case datetime():
            return value.astimezone(UTC).isoformat()
        case timedelta():
            return int(value.total_seconds())
        case str() if value.startswith("{"):
            return json.loads(value)
        case _:
            return value


def ordered(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows in one order."""
    return sorted(found, key=lambda row: json.dumps(row, sort_keys=True, default=str))


def duck(sql: str, **tables: pa.Table) -> list[tuple[Any, ...]]:
    """What DuckDB answers; ``tables`` are what it can read besides files."""
    with duckdb.connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        return connection.execute(sql).fetchall()


def fill(engine: Engine, source: str = "s", days: tuple[int, int] = (0, 40)) -> None:
    """A history of two snapshots."""
    for day, world in zip(days, (FIRST, SECOND), strict=True):
        assert load(engine, source, day, world).is_well


def priced(amount: str) -> World:
    """The second world with another price."""
    return World(dict(SECOND.models) | {"openai/m0": ("A", {"prompt": amount})})
