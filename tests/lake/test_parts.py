"""Files are cut by what is in them, never by how it came."""

import hashlib
import itertools
from collections.abc import Iterator
from urllib.parse import unquote

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from etl.lake.parts import Part, escaped, parts
from etl.lake.stream import Partition

SCHEMA = pa.schema([("number", pa.int64()), ("text", pa.string())])


def pieces(source: str, count: int, cuts: list[int]) -> Iterator[tuple[Partition, pa.Table]]:
    """So many rows of a source, in pieces."""
    table = pa.table({"number": range(count), "text": [f"row {number}" for number in range(count)]}, schema=SCHEMA)
    bounds = [0, *sorted(cut % (count + 1) for cut in cuts), count]
    for begin, end in itertools.pairwise(bounds):
        if end > begin:
            yield Partition(source=source, month="2026-01"), table.slice(begin, end - begin)


def read(part: Part) -> parquet.ParquetFile:
    """A file, as a reader of Parquet sees it."""
    assert part.sha256 == hashlib.sha256(part.content).hexdigest()
    return parquet.ParquetFile(pa.BufferReader(part.content))


@settings(deadline=None)  # The first example loads Arrow.
@given(count=st.integers(1, 60), cuts=st.lists(st.integers(0, 60), max_size=8))
def test_the_same_rows_make_the_same_files_however_they_come(count: int, cuts: list[int]) -> None:
    once = list(parts(pieces("s", count, []), SCHEMA, 7))
    again = list(parts(pieces("s", count, cuts), SCHEMA, 7))
    assert [part.sha256 for part in once] == [part.sha256 for part in again]
    [file] = map(read, again)
    groups = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
    assert groups == [7] * (count // 7) + [count % 7] * (count % 7 > 0)
    assert file.read()["number"].to_pylist() == list(range(count))


def test_a_file_that_is_large_enough_is_followed_by_another() -> None:
    found = list(parts(pieces("s", 50, [3, 29]), SCHEMA, 10, largest=100))
    assert [part.rows for part in found] == [10] * 5
    numbers = [number for part in found for number in read(part).read()["number"].to_pylist()]
    assert numbers == list(range(50))
    assert len({part.path for part in found}) == 5


def test_partitions_do_not_mix() -> None:
    both = [*pieces("a", 5, [2]), *pieces("b", 4, [1])]
    assert [(part.partition.source, part.rows) for part in parts(both, SCHEMA, 100)] == [("a", 5), ("b", 4)]
    assert list(parts([], SCHEMA, 100)) == []


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_name_as_part_of_a_path_can_be_read_back_and_leads_nowhere_else(name: str) -> None:
    assert unquote(escaped(name)) == name
    assert "/" not in escaped(name)
