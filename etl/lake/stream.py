"""The rows of a relation as Arrow tables, in order, a few megabytes at a time.

Postgres sorts them and writes CSV, which Arrow reads in bulk: no value passes through an object of Python.
"""

import io
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    func,
    literal_column,
    null,
    select,
    table,
)
from sqlalchemy import column as column_of
from sqlalchemy.dialects.postgresql.base import PGDialect

from etl.database.driver import copy_out
from etl.lake.columns import TEXTS, Column
from etl.lake.relations import Relation

PIECE = 8 << 20
"""Bytes of CSV that are read at once."""

_PARTITION = "_partition"


@dataclass(frozen=True, kw_only=True, slots=True)
class Partition:
    """A source and a month, ``2025-10``; both null where a relation is one partition."""

    source: str | None
    month: str | None


WHOLE = Partition(source=None, month=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Extent:
    """What is read of a relation: these columns of the rows of these sources (null: of all)."""

    relation: Relation
    columns: Sequence[Column]
    sources: Collection[str] | None

    @property
    def schema(self) -> pa.Schema:
        """The columns of a file."""
        return pa.schema([column.field for column in self.columns])


def rows(connection: Connection, extent: Extent) -> Iterator[tuple[Partition, pa.Table]]:
    """The rows in the order of their partitions, each piece of one partition.

    Raises ``DBAPIError``, and ``ArrowInvalid`` for what a file cannot hold.
    """
    lines: list[bytes] = []
    size = 0
    for line in copy_out(connection, _query(connection, extent)):
        lines.append(line)
        size += len(line)
        if size >= PIECE:
            yield from _pieces(_read(extent, b"".join(lines)))
            lines.clear()
            size = 0
    if lines:
        yield from _pieces(_read(extent, b"".join(lines)))


def _read(extent: Extent, lines: bytes) -> pa.Table:
    types = {column.name: pa.string() if column.type == TEXTS else column.type for column in extent.columns}
    types[_PARTITION] = pa.string()
    read = csv.read_csv(
        io.BytesIO(lines),
        # One block: a row may be longer than the usual one.
        csv.ReadOptions(column_names=list(types), block_size=len(lines) + 1, use_threads=False),
        csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        csv.ConvertOptions(
            column_types=types,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    ).combine_chunks()
    arrays = [_lists(read[each.name]) if each.type == TEXTS else read[each.name] for each in extent.columns]
    schema = extent.schema.append(pa.field(_PARTITION, pa.string()))
    return pa.Table.from_arrays([*arrays, read[_PARTITION]], schema=schema)


def _lists(texts: pa.ChunkedArray) -> pa.Array:
    """Lists from JSON arrays, of which most occur many times: each is decoded once."""
    encoded = texts.combine_chunks().dictionary_encode()
    decoded = [msgspec.json.decode(each) for each in encoded.dictionary.to_pylist()]
    return pa.array(decoded, TEXTS).take(encoded.indices)


def _pieces(read: pa.Table) -> Iterator[tuple[Partition, pa.Table]]:
    """Cut where the partition changes."""
    labels = read[_PARTITION].combine_chunks()
    rest = read.drop_columns([_PARTITION])
    runs = pc.run_end_encode(labels)
    begin = 0
    for label, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        yield _partition(label), rest.slice(begin, end - begin)
        begin = end


def _partition(label: str | None) -> Partition:
    if label is None:
        return WHOLE
    month, _, source = label.partition("/")
    return Partition(source=source, month=month)


def _query(connection: Connection, extent: Extent) -> str:
    """The query as text: COPY takes no parameters."""
    relation = extent.relation
    label: ColumnElement[Any] = null()
    order: list[ColumnElement[Any]] = [column_of("source").collate("C")] if relation.has_source else []
    if relation.dated_by:
        month = func.to_char(column_of(relation.dated_by).op("AT TIME ZONE")(literal_column("'UTC'")), "YYYY-MM")
        label = month.op("||")(literal_column("'/'")).op("||")(column_of("source"))
        order.append(month.collate("C"))
    types = {column.name: column.postgres for column in extent.columns}
    order += [_ordered(name, types[name]) for name in relation.key]
    query: Select[*tuple[Any, ...]] = select(
        *(each.sql.label(each.name) for each in extent.columns), label.label(_PARTITION)
    )
    query = query.select_from(table(relation.name, schema="mart")).order_by(*order)
    if relation.has_source and extent.sources is not None:
        query = query.where(column_of("source").in_([_literal(connection, each) for each in extent.sources]))
    # A style of parameters without per cent signs: nothing is doubled.
    dialect = PGDialect(paramstyle="named")  # type: ignore[no-untyped-call]
    return str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _ordered(name: str, postgres: str) -> ColumnElement[Any]:
    value: ColumnElement[Any] = column_of(name)
    return value.collate("C") if postgres == "text" else value


def _literal(connection: Connection, value: str) -> ColumnElement[Any]:
    """A text as the server itself would write it."""
    return literal_column(str(connection.scalar(select(func.quote_literal(value)))), Text)
