"""Bringing snapshots in: by backfill, and what the commands say of it."""

import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.cli.conftest import Run
from tests.dump import dump
from tests.extract.gateway import Gateway, ok
from tests.sources.fixtures import FIXTURES

PAGED = FIXTURES / "bifrost" / "paged"
WHOLE = FIXTURES / "bifrost" / "whole" / "page-001.json"


@pytest.fixture
def saved(folder: Path) -> Path:
    """Two snapshots of a gateway: one page, and a folder of pages with a note that is no page."""
    saved = folder / "saved"
    saved.mkdir()
    shutil.copy(WHOLE, saved / "2026-01-01T00-00-00Z.json")
    shutil.copytree(PAGED, saved / "20260102T000000Z")
    (saved / "20260102T000000Z" / "_about.txt").write_text("no page")
    (saved / "_notes.md").write_text("no snapshot")
    return saved


def test_saved_snapshots_load_in_order_of_time(etl: Run, warehouse: Engine, saved: Path) -> None:
    ended = etl("backfill", "bifrost", str(saved), "--json")
    assert ended.status == 0
    document = json.loads(ended.out)
    assert [row["observed_at"] for row in document] == ["2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"]
    assert {row["status"] for row in document} == {"loaded"}
    with warehouse.connect() as connection:
        pages = connection.scalars(text("SELECT count(*) FROM raw.page GROUP BY snapshot_id ORDER BY snapshot_id"))
        assert list(pages) == [1, 3]


def test_the_same_backfill_again_changes_no_row(etl: Run, warehouse: Engine, saved: Path) -> None:
    etl("backfill", "bifrost", str(saved))
    before = dump(warehouse)
    again = etl("backfill", "bifrost", str(saved / "20260102T000000Z"), str(saved))
    assert again.status == 0
    assert again.err.splitlines() == [
        "[1/2] bifrost 2026-01-01 00:00:00Z loaded",
        "[2/2] bifrost 2026-01-02 00:00:00Z loaded",
    ]
    assert dump(warehouse) == before


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere", "nowhere does not exist"),
        ("prices.json", "prices.json tells no time: name it like 2025-10-21T05-10-55Z.json"),
        ("2026-13-01T00-00-00Z.json", "tells no time"),
        ("empty", "no snapshots there"),
        ("2026-01-01T00-00-00Z", "holds no pages"),
    ],
)
def test_a_path_that_holds_no_snapshot_starts_nothing(etl: Run, folder: Path, name: str, said: str) -> None:
    path = folder / name
    if path.suffix:
        path.write_text("{}")
    elif name != "nowhere":
        path.mkdir()
    ended = etl("backfill", "bifrost", str(path))
    assert (ended.status, ended.out) == (2, "")
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_saved_snapshot_that_cannot_be_read_fails_and_the_others_load(
    etl: Run, warehouse: Engine, saved: Path
) -> None:
    (saved / "2026-01-03T00-00-00Z.json").write_text("<html>")
    ended = etl("backfill", "bifrost", str(saved))
    assert ended.status == 1
    assert [line.split()[1] for line in ended.out.splitlines()[1:]] == ["loaded", "loaded", "failed"]
    assert "sent HTML where JSON was expected" in ended.out.splitlines()[-1]
    [line] = ended.complaints
    assert "2026-01-03T00-00-00Z.json sent HTML where JSON was expected" in line
    with warehouse.connect() as connection:
        assert connection.scalar(text("SELECT max(valid_from) FROM mart.price_history WHERE valid_to IS NULL"))


def test_a_held_snapshot_is_named_with_what_can_be_done(
    etl: Run, warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"id": f"openai/m{number}", "pricing": {"prompt": "1"}} for number in range(10)]
    full, small = (json.dumps({"data": kept}).encode() for kept in (rows, rows[:2]))
    with Gateway(ok(full), ok(small)) as gateway:
        monkeypatch.setenv("ETL_BIFROST_URL", gateway.url)
        assert etl("run", "bifrost").status == 0
        before = dump(warehouse)["core.price"]
        held = etl("run", "bifrost")
    assert held.status == 1
    [line] = held.complaints
    assert "is held: would remove 8 of 10 models; look at it, then `etl snapshots release " in line
    assert dump(warehouse)["core.price"] == before


def test_quarantined_records_and_unmapped_fields_are_warnings(
    etl: Run, warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {"id": "openai/m1", "pricing": {"prompt": "1", "per_smile": "2"}},
        {"id": "openai/m2", "pricing": {"prompt": "cheap"}},
    ]
    with Gateway(ok(json.dumps({"data": rows}).encode())) as gateway:
        monkeypatch.setenv("ETL_BIFROST_URL", gateway.url)
        ended = etl("run", "bifrost")
    assert ended.status == 0
    assert "warning: bifrost: 1 records quarantined" in ended.err
    assert "warning: bifrost: 1 price fields unmapped" in ended.err
    assert dump(warehouse)["core.quarantine"]
