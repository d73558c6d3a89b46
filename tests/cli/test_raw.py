"""``etl raw``: what is typed, what is printed, and how it ends."""

import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, text

from etl.database.engine import open_engine
from tests.cli.conftest import Run, named
from tests.dump import dump
from tests.load.archiving import bodies
from tests.sources.fixtures import FIXTURES

WHOLE = FIXTURES / "bifrost" / "whole" / "page-001.json"


@pytest.fixture
def loaded(etl: Run, warehouse: Engine, folder: Path) -> Engine:
    """A warehouse with two snapshots from years ago."""
    (folder / "saved").mkdir()
    shutil.copy(WHOLE, folder / "saved" / "2020-01-01T00-00-00Z.json")
    shutil.copytree(FIXTURES / "bifrost" / "paged", folder / "saved" / "20200102T000000Z")
    assert etl("backfill", "bifrost", "saved").status == 0
    return warehouse


def test_archiving_tells_what_it_did_and_drops_nothing(etl: Run, loaded: Engine, folder: Path) -> None:
    before = dump(loaded)
    ended = etl("raw", "archive", "kept")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.split()[:7] == ["folder", "before", "snapshots", "bodies", "written", "bytes", "dropped"]
    row = json.loads(etl("raw", "archive", "kept", "--json").out)
    assert row["folder"] == str(folder / "kept")
    assert (row["snapshots"], row["bodies"], row["written"], row["dropped"]) == (0, 4, 0, 0)
    assert dump(loaded) == before


def test_the_age_is_configured_or_typed(
    etl: Run, loaded: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del loaded
    assert json.loads(etl("raw", "archive", "a", "--older-than", "36500d", "--json").out)["bodies"] == 0
    assert json.loads(etl("raw", "archive", "b", "--json").out)["bodies"] == 4
    (folder / "etl.toml").write_text('archive_after = "36500d"\n')
    assert json.loads(etl("raw", "archive", "c", "--json").out)["bodies"] == 0
    monkeypatch.setenv("ETL_ARCHIVE_AFTER", "1d")
    assert json.loads(etl("raw", "archive", "d", "--json").out)["bodies"] == 4


@pytest.mark.parametrize("age", ["soon", "-3d", "365", "99999999999d", ""])
def test_what_is_no_age_is_refused(etl: Run, loaded: Engine, folder: Path, age: str) -> None:
    del loaded
    ended = etl("raw", "archive", "kept", f"--older-than={age}")
    assert (ended.status, ended.out, ended.err) == (
        2,
        "",
        f"etl: --older-than {age} is no age: write 365d, 36h or 90m\n",
    )
    assert not (folder / "kept").exists()


def test_dropped_bodies_are_read_from_where_they_are_or_asked_for(
    etl: Run, loaded: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped = json.loads(etl("raw", "archive", "kept", "--drop", "--json").out)["dropped"]
    assert dropped == len(bodies(loaded)) == 4
    assert etl("verify").status == 0
    (folder / "kept").rename(folder / "elsewhere")
    missing = etl("verify")
    assert missing.status == 1
    assert f"is archived and not in {folder / 'kept'}: mount that folder, or set ETL_ARCHIVE" in missing.err
    before = dump(loaded)
    refused = etl("verify", "--apply")
    assert (refused.status, refused.err.count("\n")) == (1, 1)
    assert dump(loaded) == before
    unrestored = etl("raw", "restore")
    assert (unrestored.status, unrestored.err.count("\n")) == (1, 1)
    monkeypatch.setenv("ETL_ARCHIVE", "elsewhere")
    assert etl("verify").status == 0
    assert etl("raw", "restore").out == "4 bodies are back in the database\n"
    assert json.loads(etl("raw", "restore", "--json").out) == {"restored": 0}


def test_an_archive_is_backfilled_into_another_warehouse(
    etl: Run, loaded: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch, second_url: URL
) -> None:
    assert etl("raw", "archive", "kept").status == 0
    prices = text("SELECT model_id, meter, unit_price, valid_from, valid_to FROM mart.price_history ORDER BY 1, 2, 4")
    with loaded.connect() as connection:
        expected = connection.execute(prices).all()
    monkeypatch.setenv("DATABASE_URL", named(second_url))
    assert etl("backfill", "bifrost", "kept").status == 0
    assert etl("verify").status == 0
    with open_engine(second_url).connect() as connection:
        assert connection.execute(prices).all() == expected
    other = etl("backfill", "phaseo", "kept")
    assert (other.status, other.err) == (2, "etl: kept has no snapshots of phaseo: it has bifrost\n")
    [manifest] = (folder / "kept" / "manifest").iterdir()
    manifest.write_text("{}\n")
    broken = etl("backfill", "bifrost", "kept")
    assert broken.status == 2
    assert f"{Path('kept') / 'manifest' / manifest.name}:1: no line of a manifest" in broken.err


def test_a_missing_object_is_named_by_backfill(etl: Run, loaded: Engine, folder: Path) -> None:
    del loaded
    assert etl("raw", "archive", "kept").status == 0
    for file in (folder / "kept" / "objects").rglob("*.zst"):
        file.unlink()
    ended = etl("backfill", "bifrost", "kept")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith(f"etl: {folder / 'kept' / 'objects'}")
    assert ended.err.endswith("is missing: put back a good copy of this file\n")
