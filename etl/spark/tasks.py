"""The two kinds of tasks, as Spark calls them: with Arrow batches, wherever a worker has room."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert as upsert

from etl.database.driver import copy_in
from etl.database.engine import database_url, open_engine
from etl.load import rebuilt
from etl.spark.bodies import Bodies
from etl.spark.plan import Group
from etl.spark.reading import KEY, Piece, pieces, reader

if TYPE_CHECKING:
    import pyarrow as pa

Batches = Iterator["pa.RecordBatch"]

Task = Callable[[Batches], Batches]

ROWS = 10_000
"""Rows of a batch: few enough to be held beside a catalog."""

_NUMBERS = ("tier_start", "first", "last")
_COLUMNS = ("source", "relation", "key", *KEY, "first", "last", "value")

PIECE = ", ".join(f"{name} {'bigint' if name in _NUMBERS else 'string'}" for name in _COLUMNS)
"""The columns of what ``reading`` gives."""


def reading(bodies: Bodies) -> Task:
    """The task that reads: batches with the column ``unit`` (encoded groups) to batches of pieces."""
    return partial(_read, bodies)


def writing(url: str, schema: str, table: str) -> Task:
    """The task that puts its rows into a table of a schema by COPY, once however often it is done; gives their number.

    Columns are those of the table; JSON and amounts are text.
    """
    return partial(_write, url, schema, table)


def _read(bodies: Bodies, batches: Batches) -> Batches:
    for batch in batches:
        for unit in batch.column("unit").to_pylist():
            group = Group.decode(unit)
            with bodies.open() as opened:
                yield from _packed(pieces(group, reader(group.source, opened)))


def _packed(found: Iterable[Piece]) -> Batches:
    import pyarrow as pa  # noqa: PLC0415

    types = [(name, pa.int64() if name in _NUMBERS else pa.string()) for name in _COLUMNS]
    rest = iter(found)
    while rows := [row_of(piece) for piece in itertools.islice(rest, ROWS)]:
        columns = [pa.array(column, type_) for column, (_, type_) in zip(zip(*rows, strict=True), types, strict=True)]
        yield pa.RecordBatch.from_arrays(columns, schema=pa.schema(types))


def row_of(piece: Piece) -> tuple[Any, ...]:
    """A piece with the columns of ``PIECE``."""
    key = msgspec.json.encode(piece.key).decode()
    return (piece.source, piece.relation, key, *piece.key, piece.first, piece.last, piece.value)


def _write(url: str, schema: str, table: str, batches: Batches) -> Batches:
    import pyarrow as pa  # noqa: PLC0415
    from pyspark import TaskContext  # noqa: PLC0415

    context = TaskContext.get()
    with open_engine(database_url(url)).begin() as connection:
        count = _put(connection, schema, table, context.partitionId() if context else 0, batches)
    yield pa.RecordBatch.from_pydict({"rows": pa.array([count], pa.int64())})


def _put(connection: Connection, schema: str, table: str, number: int, batches: Batches) -> int:
    there = rebuilt.tables(schema).tables
    part, columns = there[f"{schema}.part"], there[f"{schema}.{table}"].c.keys()
    mark = upsert(part).values(name=table, number=number).on_conflict_do_nothing().returning(part.c.number)
    is_first = connection.scalar(mark) is not None
    count = 0
    for batch in batches:
        if is_first:
            values = (batch.column(name).to_pylist() for name in columns)
            copy_in(connection, f"{schema}.{table}", columns, zip(*values, strict=True))
        count += batch.num_rows
    return count
