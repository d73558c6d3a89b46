"""What was exported is what the mart says, to the last digit, whoever reads it."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
from sqlalchemy import Engine, text

from etl.lake.manifest import Kind
from etl.lake.relations import RELATIONS
from tests.database.roles import as_owner
from tests.lake.exporting import (
    FIRST,
    LONG,
    SECOND,
    believed,
    both,
    duck,
    entry,
    exported,
    fill,
    manifest,
    read,
    rows,
)
from tests.load.believing import load
from tests.load.worlds import World

SUMS = {
    "price_history": ("count(*)", "sum(unit_price)", "sum(usd_per_million)", "count(valid_to)", "max(valid_from)"),
    "price_change": ("count(*)", "sum(new_unit_price)", "count(old_unit_price)", "max(changed_at)"),
    "model_history": ("count(*)", "sum(context_length)", "count(description)", "min(valid_from)"),
    "endpoint_history": ("count(*)", "sum(max_output_tokens)", "min(known_from)"),
    "catalog_change": ("count(*)", "count(old_value)", "max(not_before)"),
    "snapshot": ("count(*)", "sum(bytes)", "max(observed_at)"),
}


@both
def test_every_row_of_every_table_is_as_in_the_mart(story: Engine, tmp_path: Path, kind: Kind) -> None:
    done = exported(story, tmp_path / "lake", kind)
    assert [table.name for table in done.manifest.tables] == [relation.name for relation in RELATIONS]
    for table in done.manifest.tables:
        assert rows(tmp_path / "lake", table.name) == believed(story, table.name), table.name
        assert table.rows == len(believed(story, table.name))
    assert {table.name for table in done.manifest.tables if not table.rows} == set()


@both
def test_duckdb_counts_and_sums_as_postgres_does(story: Engine, tmp_path: Path, kind: Kind) -> None:
    exported(story, tmp_path, kind)
    for name, sums in SUMS.items():
        files = [str(tmp_path / file.path) for file in entry(tmp_path, name).files]
        where = f"read_parquet({files})" if kind == "parquet" else "lake"
        # Python knows the time zone of DuckDB's moments only with another library.
        theirs = spelled(sums, "epoch_us({})")
        ours = spelled(sums, "(extract(epoch FROM {}) * 1000000)::bigint")
        found = duck(f"SELECT source, {theirs} FROM {where} GROUP BY source ORDER BY source", lake=read(tmp_path, name))
        query = f'SELECT source, {ours} FROM mart.{name} GROUP BY source ORDER BY source COLLATE "C"'
        with story.connect() as connection:
            assert found == [tuple(row) for row in connection.execute(text(query))], name


def spelled(sums: tuple[str, ...], microseconds: str) -> str:
    """The sums, those of moments in microseconds."""
    return ", ".join(microseconds.format(each) if each[:3] in ("min", "max") else each for each in sums)


def test_duckdb_reads_the_folders_as_partitions(story: Engine, tmp_path: Path) -> None:
    exported(story, tmp_path)
    glob = f"read_parquet('{tmp_path}/price_history/**/*.parquet', hive_partitioning = true)"
    months = duck(f"SELECT DISTINCT source, month FROM {glob} ORDER BY ALL")
    with story.connect() as connection:
        expected = connection.execute(
            text("SELECT DISTINCT source, to_char(valid_from, 'YYYY-MM') FROM mart.price_history ORDER BY 1, 2")
        ).all()
    assert months == [tuple(row) for row in expected]


def test_types_are_those_of_the_document(story: Engine, tmp_path: Path) -> None:
    exported(story, tmp_path)
    prices, models = read(tmp_path, "price_history").schema, read(tmp_path, "model_history").schema
    assert prices.field("unit_price").type == pa.decimal128(38, 20)
    assert prices.field("valid_to").type == pa.timestamp("us", tz="UTC")
    assert prices.field("tier_start").type == pa.int64()
    assert models.field("aliases").type == pa.list_(pa.field("element", pa.string()))
    assert models.field("extra").type == pa.string()
    assert read(tmp_path, "source").schema.field("max_age_seconds").type == pa.int64()
    assert prices.field("unit_price").metadata == {
        b"doc": b"Price of exactly one unit of the meter, in currency; null when dynamic."
    }


@both
def test_an_amount_with_more_digits_makes_its_column_text(engine: Engine, tmp_path: Path, kind: Kind) -> None:
    fill(engine)
    exported(engine, tmp_path, kind)
    assert {column.name: column.type for column in entry(tmp_path, "price_history").columns}["unit_price"] == (
        "decimal128(38, 20)"
    )
    assert load(engine, "s", 50, LONG).is_well
    exported(engine, tmp_path, kind)
    found = read(tmp_path, "price_history")
    assert pa.types.is_string(found.schema.field("unit_price").type) or pa.types.is_large_string(
        found.schema.field("unit_price").type
    )
    assert "0.000000000000000000000123" in found["unit_price"].to_pylist()
    with engine.connect() as connection:
        total = connection.scalar(text("SELECT sum(unit_price) FROM mart.price_history"))
    assert sum(Decimal(each) for each in found["unit_price"].to_pylist() if each) == total
    assert found.schema.field("unit_price_double").type == pa.float64()
    exact, doubles = found["unit_price"].to_pylist(), found["unit_price_double"].to_pylist()
    assert doubles == [None if each is None else float(each) for each in exact]
    [usual] = {column.type for column in entry(tmp_path, "model_link").columns if column.name == "confidence"}
    assert usual == "decimal128(38, 20)"


def test_a_column_that_was_text_stays_text_in_its_place(engine: Engine, tmp_path: Path) -> None:
    assert load(engine, "s", 0, LONG).is_well
    exported(engine, tmp_path)
    with as_owner(engine).begin() as connection:
        connection.execute(text("UPDATE core.price SET unit_price = 1"))
    exported(engine, tmp_path)
    assert read(tmp_path, "price_history")["unit_price"].to_pylist() == ["1"]
    exported(engine, tmp_path / "other")
    assert read(tmp_path / "other", "price_history")["unit_price"].to_pylist() == [Decimal(1)]


@both
def test_a_warehouse_without_anything_is_exported(engine: Engine, tmp_path: Path, kind: Kind) -> None:
    done = exported(engine, tmp_path, kind)
    assert {table.name for table in done.manifest.tables if table.rows} == {"meter", "fx_rate", "margin"}
    assert read(tmp_path, "price_history").num_rows == 0
    assert (done.manifest.snapshots, done.manifest.cursor) == ((), 0)
    fill(engine)
    exported(engine, tmp_path, kind)
    assert rows(tmp_path, "price_history") == believed(engine, "price_history")


def test_what_always_held_has_no_beginning(engine: Engine, tmp_path: Path) -> None:
    exported(engine, tmp_path)
    assert read(tmp_path, "fx_rate")["valid_from"].to_pylist() == [None, None]


@both
def test_months_are_those_of_utc_across_the_turn_of_the_year(engine: Engine, tmp_path: Path, kind: Kind) -> None:
    fill(engine, days=(-1, 0))
    fill(engine, "t", days=(30, 365))
    exported(engine, tmp_path, kind)
    parts = [(file.source, file.month) for file in entry(tmp_path, "price_history").files]
    assert parts == [("s", "2025-12"), ("s", "2026-01"), ("t", "2026-01"), ("t", "2027-01")]
    assert rows(tmp_path, "price_history") == believed(engine, "price_history")


NAMES = ("a/../../b", "q?x=%2F&y#z", "tab\tand\nline", "Ünïcode \N{SNOWMAN}", "'\"\\N,~", "..", "UP", "up")


@both
def test_no_name_breaks_out_of_its_folder_or_its_column(engine: Engine, tmp_path: Path, kind: Kind) -> None:
    for name in NAMES:
        world = World({f"openai/{name}": (name, {"prompt": "1"}), "openai/\\.": ("", {"prompt": "2"})})
        assert load(engine, name, 0, world).is_well
    place = tmp_path / "deep" / "lake here"
    exported(engine, place, kind)
    assert rows(place, "price_history") == believed(engine, "price_history")
    assert rows(place, "model_history") == believed(engine, "model_history")
    assert {path.name for path in tmp_path.iterdir()} == {"deep"}
    assert {path.name for path in (tmp_path / "deep").iterdir()} == {"lake here"}
    if kind == "parquet":
        glob = f"read_parquet('{place}/price_history/**/*.parquet', hive_partitioning = true)"
        assert {row[0] for row in duck(f"SELECT DISTINCT source FROM {glob}")} == set(NAMES)


def test_only_the_sources_that_are_named_are_exported(engine: Engine, tmp_path: Path) -> None:
    names = ("it's \\ 100%", "t", "u")
    for name in names:
        fill(engine, name)
    done = exported(engine, tmp_path, sources=names[:2])
    for name in ("price_history", "snapshot", "model_link", "price_change", "source"):
        assert {row["source"] for row in rows(tmp_path, name)} == set(names[:2]), name
    assert {each.source for each in done.manifest.snapshots} == set(names[:2])


def test_another_source_with_long_amounts_does_not_count(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    assert load(engine, "long", 0, LONG).is_well
    exported(engine, tmp_path, sources=("s",))
    assert read(tmp_path, "price_history").schema.field("unit_price").type == pa.decimal128(38, 20)


def test_the_manifest_tells_which_state_of_the_warehouse_it_is(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    exported(engine, tmp_path)
    found = manifest(tmp_path)
    with engine.connect() as connection:
        position = connection.scalar(text("SELECT max(position) FROM mart.change_feed"))
        last = connection.execute(
            text("SELECT source, snapshot_id, observed_at FROM mart.snapshot ORDER BY observed_at DESC LIMIT 1")
        ).one()
    assert (found.version, found.format, found.sources, found.cursor) == (1, "parquet", None, position)
    assert [(each.source, each.snapshot_id, each.observed_at) for each in found.snapshots] == [tuple(last)]


@both
def test_what_is_loaded_meanwhile_is_in_no_table(engine: Engine, tmp_path: Path, kind: Kind) -> None:
    assert load(engine, "s", 0, FIRST).is_well
    before = {name: believed(engine, name) for name in ("price_history", "price_change", "snapshot", "model_link")}

    def progress(done: int, _: int) -> None:
        if done == 1:
            assert load(engine, "s", 1, SECOND).is_well

    exported(engine, tmp_path, kind, progress=progress)
    assert {name: rows(tmp_path, name) for name in before} == before
    assert isinstance(manifest(tmp_path).exported_at, datetime)
    assert len(manifest(tmp_path).snapshots) == 1
