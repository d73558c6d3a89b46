"""``etl db`` with a server of the user's own; the embedded one has tests beside its code."""

import json
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, text
from sqlalchemy.engine import make_url

from etl.database import migrations
from etl.database.engine import open_engine
from tests.cli.conftest import Run, named
from tests.conftest import free_port
from tests.database.roles import as_owner, owner_of
from tests.load.believing import load
from tests.load.worlds import World
from tests.processes import etl as etl_process


def test_status_tells_where_and_which_schema(etl: Run, warehouse: Engine) -> None:
    row = json.loads(etl("db", "status", "--json").out)
    assert (row["server"], row["running"], row["schema"]) == ("DATABASE_URL", True, "current")
    assert str(warehouse.url.password) not in row["url"]


def test_upgrade_brings_an_empty_database_to_the_schema_and_can_be_repeated(
    etl: Run, empty_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", named(empty_url))
    assert "run `etl db upgrade`" in json.loads(etl("db", "status", "--json").out)["schema"]
    for _ in range(2):
        ended = etl("db", "upgrade")
        assert (ended.status, ended.out) == (0, f"schema {migrations.head()} is in place\n")
    assert migrations.is_current(open_engine(empty_url))
    assert etl("status").status == 0


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_url_is_one_that_every_tool_reads(
    etl: Run, warehouse_url: URL, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", named(warehouse_url.set(drivername=scheme)))
    shown = make_url(etl("db", "url").out.strip())
    assert shown == warehouse_url.set(drivername="postgresql")
    hidden = etl("db", "url", "--hide-password").out
    assert str(warehouse_url.password) not in hidden


@pytest.mark.parametrize("command", ["start", "stop"])
def test_a_server_of_the_user_is_not_ours_to_start_or_stop(etl: Run, warehouse: Engine, command: str) -> None:
    del warehouse
    ended = etl("db", command)
    assert (ended.status, ended.out) == (2, "")
    assert "not ours to start or stop" in ended.err


def test_psql_gets_what_is_typed_after_it(warehouse_url: URL, tmp_path: Path) -> None:
    ended = etl_process(tmp_path, "db", "psql", "-Atc", "SELECT current_database()", DATABASE_URL=named(warehouse_url))
    if "no psql found" in ended.err:
        pytest.skip("there is no psql here")
    assert (ended.status, ended.out) == (0, f"{warehouse_url.database}\n"), ended.err
    assert not (tmp_path / "home").exists()


def test_the_embedded_server_starts_tells_where_it_is_and_stops(
    typing: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("ETL_DB_PORT", str(port))
    monkeypatch.setenv("ETL_HOME", str(folder / "mine"))
    assert json.loads(typing("db", "status", "--json").out)["running"] is False
    try:
        started = typing("db", "start")
        assert started.out == f"running on 127.0.0.1:{port}, data in {folder / 'mine' / 'postgres' / 'data'}\n"
        assert "starting the embedded Postgres" in started.err
        row = json.loads(typing("db", "status", "--json").out)
        assert (row["running"], row["port"], row["schema"]) == (True, port, "current")
        assert make_url(typing("db", "url").out.strip()).port == port
        assert make_url(typing("db", "url", "--reader").out.strip()).username == "etl_viewer"
        assert typing("changes").status == 0
    finally:
        assert typing("db", "stop").out == "stopped\n"
    assert typing("db", "stop").out == "was not running\n"


def test_the_readers_of_a_server_of_ones_own_are_not_known_here(etl: Run, warehouse: Engine) -> None:
    del warehouse
    ended = etl("db", "url", "--reader")
    assert (ended.status, ended.out, "etl db grant" in ended.err) == (2, "", True)


def test_an_upgrade_derives_the_changes_that_an_older_version_did_not_keep(
    etl: Run, warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day, price in enumerate(["1", "2"]):
        load(warehouse, "s", day, World({"openai/a": ("a", {"prompt": price})}))
    expected = etl("changes", "--format", "csv").out.splitlines()
    monkeypatch.setenv("DATABASE_URL", named(owner_of(warehouse.url)))
    with as_owner(warehouse).begin() as connection:
        connection.execute(text("TRUNCATE core.price_change, core.catalog_change"))
        connection.execute(text("COMMENT ON SCHEMA mart IS 'mart of an older version'"))
    assert etl("db", "upgrade").status == 0
    told = etl("changes", "--format", "csv").out.splitlines()
    assert [line.rsplit(",", 3)[0] for line in told] == [line.rsplit(",", 3)[0] for line in expected]
    assert len(told) == 2
