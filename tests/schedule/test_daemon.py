"""The daemon does its work and ends when it is told to, and outlives what goes wrong around it."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, text

from tests.conftest import free_port
from tests.extract.gateway import Gateway, drip, head, ok
from tests.processes import etl
from tests.schedule.daemons import configured, daemon, stop, until
from tests.schedule.stage import CATALOG

Ask = Callable[[str], list[tuple[object, ...]]]


@pytest.fixture
def named(warehouse_url: URL) -> str:
    """The warehouse as DATABASE_URL names it."""
    return warehouse_url.render_as_string(hide_password=False)


@pytest.fixture
def ask(engine: Engine) -> Ask:
    def rows(sql: str) -> list[tuple[object, ...]]:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]

    return rows


def test_it_serves_open_slots_at_once_and_ends_with_0(tmp_path: Path, named: str, ask: Ask) -> None:
    with Gateway(ok(CATALOG)) as gateway:
        configured(tmp_path, gateway.url, "one", "two")
        with daemon(tmp_path, DATABASE_URL=named) as process:
            until(lambda: ask("SELECT source FROM mart.slot WHERE status = 'done' ORDER BY 1") == [("one",), ("two",)])
            assert ask("SELECT DISTINCT caller, outcome FROM mart.run") == [("schedule", "loaded")]
            status, seconds = stop(process)
    assert status == 0
    assert seconds < 5
    assert "Traceback" not in (tmp_path / "said").read_text()


@pytest.mark.slow
def test_a_walk_that_does_not_end_is_abandoned_within_ten_seconds(tmp_path: Path, named: str, ask: Ask) -> None:
    endless = drip(head(200, {"Content-Length": "100000"}), tail=b" " * 10_000)
    with Gateway(endless, ok(CATALOG)) as gateway:
        configured(tmp_path, gateway.url, "one")
        with daemon(tmp_path, DATABASE_URL=named) as process:
            until(lambda: len(gateway.asked) == 1)
            status, seconds = stop(process, signal.SIGINT)
        assert status == 0
        assert seconds < 10
        assert ask("SELECT status, outcome FROM mart.slot") == [("missed", "stopped")]
        assert ask("SELECT count(*) FROM raw.snapshot") == [(0,)]
        assert etl(tmp_path, "run", "--due", DATABASE_URL=named).status == 0
    assert ask("SELECT status, outcome FROM mart.slot") == [("done", "loaded")]


def test_a_hangup_reads_the_configuration_anew_and_a_wrong_one_is_not_taken(
    tmp_path: Path, named: str, ask: Ask
) -> None:
    sources = "SELECT source FROM mart.slot WHERE status = 'done' ORDER BY 1"
    with Gateway(ok(CATALOG)) as gateway:
        configured(tmp_path, gateway.url, "one")
        with daemon(tmp_path, DATABASE_URL=named) as process:
            until(lambda: ask(sources) == [("one",)])
            configured(tmp_path, gateway.url, "one", "two")
            process.send_signal(signal.SIGHUP)
            until(lambda: ask(sources) == [("one",), ("two",)])
            configured(tmp_path, gateway.url, "one", "three", schedule="never")
            process.send_signal(signal.SIGHUP)
            until(lambda: "the configuration is wrong" in (tmp_path / "said").read_text())
            (tmp_path / "etl.toml").rename(tmp_path / "moved.toml")
            process.send_signal(signal.SIGHUP)
            until(lambda: "etl.toml is gone" in (tmp_path / "said").read_text())
            assert stop(process)[0] == 0
    assert ask(sources) == [("one",), ("two",)]


@pytest.mark.slow
def test_the_slot_of_a_killed_daemon_is_served_by_the_other(tmp_path: Path, named: str, ask: Ask) -> None:
    endless = drip(head(200, {"Content-Length": "100000"}), tail=b" " * 10_000)
    with Gateway(endless, ok(CATALOG)) as gateway:
        configured(tmp_path, gateway.url, "one")
        with daemon(tmp_path, DATABASE_URL=named) as first, daemon(tmp_path, DATABASE_URL=named) as second:
            until(lambda: len(gateway.asked) == 1)
            [(worker,)] = ask("SELECT worker FROM mart.run")
            busy, idle = (first, second) if str(worker).endswith(f":{first.pid}") else (second, first)
            busy.kill()
            until(lambda: ask("SELECT status, run_id FROM mart.slot") == [("done", 2)])
            assert stop(idle)[0] == 0
    assert ask("SELECT run_id, outcome FROM mart.run ORDER BY 1") == [(1, "abandoned"), (2, "loaded")]


@pytest.mark.slow
def test_it_outlives_its_embedded_server(tmp_path: Path) -> None:
    port = str(free_port())
    with Gateway(ok(CATALOG)) as gateway:
        configured(tmp_path, gateway.url, "one")
        try:
            with daemon(tmp_path, ETL_DB_PORT=port) as process:
                until(lambda: len(gateway.asked) == 1)
                assert etl(tmp_path, "db", "stop", ETL_DB_PORT=port).status == 0
                configured(tmp_path, gateway.url, "one", "two")
                process.send_signal(signal.SIGHUP)
                until(lambda: len(gateway.asked) == 2)
                assert stop(process)[0] == 0
            slots = json.loads(etl(tmp_path, "slots", "--json", ETL_DB_PORT=port).out)
            assert [slot["status"] for slot in slots] == ["done", "done"]
        finally:
            etl(tmp_path, "db", "stop", ETL_DB_PORT=port)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('[sources.one]\nkind = "bifrost"\nschedule = "61 * * * *"', "sources.one.schedule: Bad minute"),
        ('[sources.one]\nkind = "bifrst"', "unknown kind bifrst; did you mean bifrost?"),
    ],
)
def test_a_wrong_configuration_starts_nothing(tmp_path: Path, toml: str, said: str) -> None:
    (tmp_path / "etl.toml").write_text(toml)
    done = etl(tmp_path, "schedule")
    assert done.status == 2
    [line] = done.complaints
    assert said in line
    assert not (tmp_path / "home").exists()
