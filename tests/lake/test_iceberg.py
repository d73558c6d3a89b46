"""Iceberg tables: a snapshot for each export that changes a table, former ones kept, in a catalog for everybody."""

from decimal import Decimal
from pathlib import Path

import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table
from sqlalchemy import URL, Engine, text

from etl.errors import ConfigurationError, ExportError
from tests.lake.exporting import LONG, believed, exported, fill, manifest, priced, rows
from tests.load.believing import load


def table(place: Path, name: str, uri: str | None = None) -> Table:
    """A table as whoever knows only the catalog finds it."""
    catalog = SqlCatalog("etl", uri=uri or f"sqlite:///{place}/catalog.db")
    try:
        return catalog.load_table(("mart", name))
    finally:
        catalog.close()


def count(found: Table) -> int:
    """Rows of a table."""
    return int(found.scan().to_arrow().num_rows)


def test_an_export_that_changes_nothing_makes_no_snapshot(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    exported(engine, tmp_path, "iceberg")
    before = {each.name: (each.snapshot_id, each.metadata) for each in manifest(tmp_path).tables}
    exported(engine, tmp_path, "iceberg")
    assert {each.name: (each.snapshot_id, each.metadata) for each in manifest(tmp_path).tables} == before
    assert len(table(tmp_path, "price_history").snapshots()) == 1


def test_a_change_makes_one_snapshot_and_the_former_one_is_kept(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    fill(engine, "t", days=(200, 201))
    exported(engine, tmp_path, "iceberg")
    was = table(tmp_path, "price_history").scan().to_arrow().sort_by("model_id").to_pylist()
    assert load(engine, "s", 70, priced("7")).is_well
    exported(engine, tmp_path, "iceberg")
    found = table(tmp_path, "price_history")
    first, second = found.snapshots()
    assert found.scan(snapshot_id=first.snapshot_id).to_arrow().sort_by("model_id").to_pylist() == was
    assert count(found) == len(believed(engine, "price_history")) == len(was) + 1
    assert rows(tmp_path, "price_history") == believed(engine, "price_history")
    # The open version of February ended, and one in March began; the other source was not touched.
    assert second.summary is not None
    assert (second.summary["added-data-files"], second.summary["deleted-data-files"]) == ("2", "1")
    assert [each.name for each in manifest(tmp_path).tables if each.snapshot_id == second.snapshot_id] == [
        "price_history"
    ]
    assert len(table(tmp_path, "meter").snapshots()) == 1


@pytest.mark.slow
def test_readers_are_led_to_the_partitions_that_they_ask_for(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    fill(engine, "t")
    exported(engine, tmp_path, "iceberg")
    found = table(tmp_path, "price_history")
    spec = [(str(each.transform), each.name) for each in found.spec().fields]
    assert spec == [("identity", "source"), ("month", "valid_from_month")]
    asked = found.scan(row_filter="source = 't' and valid_from >= '2026-02-01T00:00:00+00:00'")
    [task] = asked.plan_files()
    assert "source=t/month=2026-02" in task.file.file_path
    assert {row["source"] for row in asked.to_arrow().to_pylist()} == {"t"}
    assert "in currency" in str(found.schema().find_field("unit_price").doc)


@pytest.mark.slow
def test_a_column_that_becomes_text_leaves_former_snapshots_readable(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    exported(engine, tmp_path, "iceberg")
    assert load(engine, "s", 50, LONG).is_well
    exported(engine, tmp_path, "iceberg")
    found = table(tmp_path, "price_history")
    first = found.snapshots()[0]
    old = found.scan(snapshot_id=first.snapshot_id).to_arrow()["unit_price"].to_pylist()
    assert sorted(set(old)) == [Decimal("0.000001"), Decimal("0.000002"), Decimal("0.000003"), Decimal(2)]
    new = found.scan().to_arrow()["unit_price"].to_pylist()
    assert "0.000000000000000000000123" in new
    assert rows(tmp_path, "price_history") == believed(engine, "price_history")
    exported(engine, tmp_path, "iceberg")
    assert len(table(tmp_path, "price_history").snapshots()) == 2


@pytest.mark.slow
def test_the_catalog_may_be_in_postgres(engine: Engine, empty_url: URL, tmp_path: Path) -> None:
    url = empty_url.set(drivername="postgres").render_as_string(hide_password=False)
    fill(engine)
    for _ in range(2):
        exported(engine, tmp_path, "iceberg", catalog=url)
    uri = empty_url.render_as_string(hide_password=False)
    found = table(tmp_path, "price_history", uri)
    assert (count(found), len(found.snapshots())) == (len(believed(engine, "price_history")), 1)
    assert not (tmp_path / "catalog.db").exists()
    assert "***" not in uri
    with pytest.raises(ConfigurationError, match=r"knows mart.price_history at file://.*another catalog"):
        exported(engine, tmp_path / "elsewhere", "iceberg", catalog=url)


def test_a_catalog_that_does_not_answer_is_one_line(engine: Engine, warehouse_url: URL, tmp_path: Path) -> None:
    gone = warehouse_url.set(database="nowhere").render_as_string(hide_password=False)
    with pytest.raises(ConfigurationError, match='no catalog at .*"nowhere" does not exist') as caught:
        exported(engine, tmp_path, "iceberg", catalog=gone)
    assert str(warehouse_url.password) not in str(caught.value)
    with pytest.raises(ConfigurationError, match="--catalog is no URL"):
        exported(engine, tmp_path, "iceberg", catalog="nothing")


@pytest.mark.slow
def test_somebody_else_who_changed_a_table_meanwhile_is_not_overwritten(
    engine: Engine, empty_url: URL, tmp_path: Path
) -> None:
    url = empty_url.render_as_string(hide_password=False)
    fill(engine)
    exported(engine, tmp_path, "iceberg", catalog=url)
    assert load(engine, "s", 50, priced("5")).is_well

    def progress(done: int, _: int) -> None:
        if done == 13:
            catalog = SqlCatalog("etl", uri=url)
            catalog.load_table("mart.price_history").delete("source = 's'")
            catalog.close()

    with pytest.raises(ExportError, match="somebody else changed the tables"):
        exported(engine, tmp_path, "iceberg", catalog=url, progress=progress)
    exported(engine, tmp_path, "iceberg", catalog=url)
    assert rows(tmp_path, "price_history") == believed(engine, "price_history")


@pytest.mark.slow
def test_the_warehouse_itself_is_not_touched(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    with engine.connect() as connection:
        tables = "SELECT count(*) FROM pg_class"
        before = connection.scalar(text(tables))
    exported(engine, tmp_path, "iceberg")
    with engine.connect() as connection:
        assert connection.scalar(text(tables)) == before
