"""The files of a relation: Parquet, made in memory, named by what is in them.

The same rows make the same bytes, so that a file that is there already need not be written again.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from urllib.parse import quote

import pyarrow as pa
from pyarrow import parquet

from etl.lake.stream import Partition

LARGEST = 64 << 20
"""Bytes at which a file is closed and another one is begun: what is held in memory at once."""

NAME = re.compile(r"[0-9a-f]{64}\.parquet")
"""What a file of ours is called: the SHA-256 of its content."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One file: where in the relation it belongs, and its content."""

    partition: Partition
    rows: int
    content: pa.Buffer
    sha256: str

    @property
    def bytes(self) -> int:
        """Its size."""
        return int(self.content.size)

    @property
    def path(self) -> str:
        """Its place below the folder of the relation: ``source=…/month=2025-10/….parquet``."""
        return f"{folder(self.partition)}{self.sha256}.parquet"


def folder(partition: Partition) -> str:
    """The folder of a partition, with a slash behind it; nothing when there is only one."""
    if partition.source is None or partition.month is None:
        return ""
    return f"source={escaped(partition.source)}/month={escaped(partition.month)}/"


def escaped(value: str) -> str:
    """A value as part of a path, as Hive escapes it: whatever is not plain is ``%`` and two digits for each byte."""
    return quote(value, safe="").replace("~", "%7E")


def parts(
    rows: Iterable[tuple[Partition, pa.Table]], schema: pa.Schema, group: int, largest: int = LARGEST
) -> Iterator[Part]:
    """The files of a relation, from its rows in the order of their partitions.

    ``group`` rows make a row group; a file of ``largest`` bytes gets no other one.
    """
    for partition, pieces in groupby(rows, key=itemgetter(0)):
        file = _File(partition, schema)
        for rows_of_group in _grouped((piece for _, piece in pieces), group):
            if file.size >= largest:
                yield file.closed()
                file = _File(partition, schema)
            file.write(rows_of_group)
        yield file.closed()


def _grouped(pieces: Iterable[pa.Table], size: int) -> Iterator[pa.Table]:
    """The same rows in tables of this many, the last one smaller: where the stream was cut must not show."""
    waiting: list[pa.Table] = []
    count = 0
    for piece in pieces:
        waiting.append(piece)
        count += piece.num_rows
        if count >= size:
            joined = pa.concat_tables(waiting)
            whole = count - count % size
            yield from (joined.slice(begin, size) for begin in range(0, whole, size))
            waiting, count = [joined.slice(whole)], count - whole
    if count:
        yield pa.concat_tables(waiting)


class _File:
    """A file in the making."""

    def __init__(self, partition: Partition, schema: pa.Schema) -> None:
        self._partition = partition
        self._schema = schema
        self._sink = pa.BufferOutputStream()
        self._writer = parquet.ParquetWriter(self._sink, schema, compression="zstd")
        self._rows = 0

    @property
    def size(self) -> int:
        """Bytes so far."""
        return int(self._sink.tell())

    def write(self, group: pa.Table) -> None:
        """Add a row group."""
        self._writer.write_table(group.cast(self._schema), row_group_size=group.num_rows)
        self._rows += group.num_rows

    def closed(self) -> Part:
        """The whole file."""
        self._writer.close()
        content = self._sink.getvalue()
        digest = hashlib.sha256(content).hexdigest()
        return Part(partition=self._partition, rows=self._rows, content=content, sha256=digest)
