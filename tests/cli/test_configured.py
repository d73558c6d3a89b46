"""Who records what is configured, and who only looks; what `etl status` makes of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Engine, text

from etl.database import migrations
from etl.database.engine import open_engine
from tests.cli.conftest import Run, named
from tests.database.roles import owner_of
from tests.extract.gateway import Gateway, ok, reply
from tests.sources.fixtures import FIXTURES

WHOLE = FIXTURES / "bifrost" / "whole" / "page-001.json"

TOML = """
[sources.bifrost]
max_age = "90m"

[[rates]]
currency = "EUR"
usd = "1.08"
origin = "ECB reference rate"

[[margins]]
kind = "majestix"
factor = "1.25"
origin = "our contract"
"""

RECORDED = [
    ("bifrost", True, "01:30:00"),
    ("helicone_gateway", True, "03:00:00"),
    ("helicone_registry", True, "03:00:00"),
]
"""What is enabled when Bifrost has a url."""


@pytest.fixture(autouse=True)
def _configured(folder: Path) -> None:
    (folder / "etl.toml").write_text(TOML)


def rows(engine: Engine, sql: str) -> list[Any]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def enabled(engine: Engine) -> list[Any]:
    return rows(engine, "SELECT source, enabled, max_age::text FROM mart.source WHERE enabled ORDER BY source")


def recorded(engine: Engine) -> list[Any]:
    """Every row that configuration makes, with the transaction that wrote it."""
    tables = ("source", "fx_rate", "margin")
    return [rows(engine, f"SELECT xmin::text, t::text FROM core.{table} t ORDER BY 2") for table in tables]


def test_a_run_records_what_is_configured_also_of_sources_that_it_does_not_pull(
    etl: Run, warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Gateway(ok(WHOLE.read_bytes())) as gateway:
        monkeypatch.setenv("ETL_BIFROST_URL", gateway.url)
        assert etl("run", "bifrost").status == 0
    assert enabled(warehouse) == RECORDED
    assert rows(warehouse, "SELECT usd::text, origin FROM mart.fx_rate WHERE currency = 'EUR'") == [
        ("1.08", "configuration: ECB reference rate")
    ]
    assert rows(warehouse, "SELECT factor::text FROM mart.margin") == [("1.25",)]


def test_a_run_that_fails_has_recorded_what_is_configured(
    etl: Run, warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Gateway(reply(404)) as gateway:
        monkeypatch.setenv("ETL_BIFROST_URL", gateway.url)
        assert etl("run", "bifrost").status == 1
    assert enabled(warehouse) == RECORDED


def test_a_backfill_records_it_too(etl: Run, warehouse: Engine, folder: Path) -> None:
    saved = folder / "2026-01-01T00-00-00Z.json"
    saved.write_bytes(WHOLE.read_bytes())
    assert etl("backfill", "bifrost", str(saved)).status == 0
    assert enabled(warehouse) == RECORDED[1:]
    assert rows(warehouse, "SELECT status, last_complete_at FROM mart.source_health WHERE source = 'bifrost'") == [
        ("disabled", None)
    ]


def test_an_upgrade_records_it_too(etl: Run, empty_url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", named(empty_url))
    assert etl("db", "upgrade").status == 0
    assert enabled(open_engine(empty_url)) == RECORDED[1:]


def test_a_wrong_configuration_upgrades_nothing(
    etl: Run, empty_url: URL, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", named(empty_url))
    (folder / "etl.toml").write_text("[sources.x]\nkind = 'bifrst'")
    ended = etl("db", "upgrade")
    assert (ended.status, len(ended.complaints)) == (2, 1)
    assert not migrations.is_current(open_engine(empty_url))


def test_a_rehearsal_records_nothing(etl: Run, warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    before = recorded(warehouse)
    with Gateway(ok(WHOLE.read_bytes())) as gateway:
        monkeypatch.setenv("ETL_BIFROST_URL", gateway.url)
        assert etl("run", "bifrost", "--dry-run").status == 0
    assert recorded(warehouse) == before


@pytest.mark.parametrize(
    "typed",
    [("status",), ("sources",), ("snapshots",), ("changes",), ("verify",), ("db", "status"), ("db", "dictionary")],
)
def test_who_only_looks_records_nothing(etl: Run, warehouse: Engine, typed: tuple[str, ...]) -> None:
    before = recorded(warehouse)
    assert etl(*typed).status == 0
    assert recorded(warehouse) == before


@pytest.mark.slow
def test_the_demo_switches_nothing_on_or_off(
    etl: Run, warehouse: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("DATABASE_URL", named(owner_of(warehouse.url)))
        assert etl("db", "upgrade").status == 0
    (folder / "etl.toml").write_text("[sources.helicone_gateway]\nenabled = false")
    assert etl("demo").status == 0
    assert enabled(warehouse) == RECORDED[1:]


def test_a_source_that_is_only_configured_has_landed_nothing(etl: Run, warehouse: Engine) -> None:
    del warehouse
    etl("db", "upgrade")
    assert json.loads(etl("verify", "--json").out) == []
    ended = etl("verify", "bifrost")
    assert (ended.status, ended.complaints) == (2, ["etl: nothing was ever landed of bifrost; there is: nothing"])


def test_status_tells_the_health_of_every_source(etl: Run, warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    del warehouse
    with Gateway(ok(WHOLE.read_bytes()), reply(404)) as gateway:
        monkeypatch.setenv("ETL_BIFROST_URL", gateway.url)
        etl("run", "bifrost")
        fresh = health(etl)["bifrost"]
        etl("run", "bifrost")
        failing = health(etl)["bifrost"]
    assert (fresh["status"], fresh["last_status"], fresh["reason"]) == ("fresh", "loaded", None)
    assert fresh["models"] > 0
    assert (failing["status"], failing["last_status"], failing["consecutive_failures"]) == ("failing", "failed", 1)
    assert failing["last_error"] == failing["reason"]
    assert "HTTP 404" in failing["last_error"]
    assert failing["last_complete_at"] == fresh["last_complete_at"] < failing["last_attempt_at"]
    assert health(etl)["helicone_gateway"]["status"] == "never"
    assert health(etl)["phaseo"]["status"] == "disabled"


def test_a_source_that_the_database_does_not_know_has_the_same_keys(etl: Run, warehouse: Engine, folder: Path) -> None:
    del warehouse
    etl("db", "upgrade")
    (folder / "etl.toml").write_text(TOML + "[sources.other]\nkind = 'bifrost'\nurl = 'http://other.test'")
    found = health(etl)
    assert (found["other"]["status"], found["helicone_gateway"]["status"]) == ("never", "never")
    assert found["other"].keys() == found["bifrost"].keys()


def test_status_says_when_it_is_told_by_an_earlier_configuration(
    etl: Run, warehouse: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", named(owner_of(warehouse.url)))
    etl("db", "upgrade")
    assert etl("status").err == ""
    (folder / "etl.toml").write_text("[sources.helicone_gateway]\nenabled = false")
    assert etl("status").err == (
        "configured otherwise since the last load: bifrost, helicone_gateway; the next `etl run` records it\n"
    )


def health(etl: Run) -> dict[str, dict[str, Any]]:
    return {row["source"]: row for row in json.loads(etl("status", "--json").out)}
