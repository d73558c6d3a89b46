"""``etl db copy``: where to, what it prints, and what it refuses."""

import json
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, text

from etl.database.engine import open_engine
from tests.cli.conftest import Run, named
from tests.dump import dump
from tests.load.archiving import fill
from tests.load.worlds import WORLDS
from tests.processes import etl as etl_process


@pytest.fixture
def filled(warehouse: Engine) -> Engine:
    """A warehouse with a history."""
    fill(warehouse)
    return warehouse


def test_a_warehouse_is_copied_into_an_empty_database_and_works_there(
    etl: Run, filled: Engine, empty_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = etl("db", "copy", named(empty_url))
    assert ended.status == 0
    assert ended.out.split()[:2] == ["table", "rows"]
    hidden = empty_url.set(drivername="postgresql").render_as_string(hide_password=True)
    assert ended.err == f"the same rows are in {hidden} now: set DATABASE_URL to it\n"
    assert dump(open_engine(empty_url)) == dump(filled)
    expected = etl("changes", "--format", "csv").out
    monkeypatch.setenv("DATABASE_URL", named(empty_url))
    assert etl("verify").status == 0
    assert etl("changes", "--format", "csv").out == expected


@pytest.mark.parametrize("variable", ["TARGET_DATABASE_URL", "TARGET_DATABASE_URL_FILE"])
def test_the_password_need_not_be_typed(
    etl: Run, filled: Engine, second_url: URL, folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    del filled
    (folder / "secret").write_text(named(second_url) + "\n")
    monkeypatch.setenv(variable, "secret" if variable.endswith("_FILE") else named(second_url))
    rows = json.loads(etl("db", "copy", "--json").out)
    assert rows["raw.snapshot"] == len(WORLDS)
    assert etl("db", "copy", named(second_url)).err == (
        "etl: a URL is given and TARGET_DATABASE_URL is set: take one of them out\n"
    )


def test_a_target_that_is_none_is_refused_in_one_line(
    etl: Run, filled: Engine, warehouse_url: URL, empty_url: URL
) -> None:
    before = dump(filled)
    gone = named(empty_url.set(database="nowhere"))
    for typed, said in (
        ((), "where to? name the empty database"),
        (("no url",), "TARGET_DATABASE_URL is no URL"),
        ((gone,), 'database "nowhere" does not exist; check TARGET_DATABASE_URL'),
        ((named(warehouse_url),), "is not empty, it has rows in"),
    ):
        ended = etl("db", "copy", *typed)
        assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1), ended
        assert said in ended.err
        assert str(warehouse_url.password) not in ended.err
    assert dump(filled) == before


def test_a_dump_is_restored_elsewhere_and_verifies_there(
    filled: Engine, warehouse_url: URL, second_url: URL, folder: Path, etl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    dumped = etl_process(folder, "db", "dump", "-Fc", "-f", "warehouse.dump", DATABASE_URL=named(warehouse_url))
    if "no pg_dump found" in dumped.err or "server version mismatch" in dumped.err:
        pytest.skip(f"there is no pg_dump for this server: {dumped.err}")
    assert (dumped.status, dumped.out, dumped.err) == (0, "", "")
    expected = {command: etl(*command.split()).out for command in ASKED}
    monkeypatch.setenv("DATABASE_URL", named(second_url))
    restored = etl("db", "restore", "warehouse.dump")
    assert (restored.status, restored.out.partition(" is in the database")[0]) == (0, "warehouse.dump"), restored.err
    assert etl("verify").status == 0
    assert {command: etl(*command.split()).out for command in ASKED} == expected
    assert dump(open_engine(second_url)) == dump(filled)
    with open_engine(second_url).connect() as connection:
        may_read = text("SELECT has_table_privilege('etl_reader', 'mart.price_current', 'SELECT')")
        assert connection.scalar(may_read)
    again = etl("db", "restore", "warehouse.dump")
    assert (again.status, "is not empty" in again.err) == (2, True)


def test_what_is_no_dump_is_one_line_and_can_be_done_again(
    etl: Run, folder: Path, second_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", named(second_url))
    (folder / "no.dump").write_text("no dump at all")
    broken = ("no.dump", "half.dump") if _halved(folder, second_url) else ("no.dump",)
    assert etl("db", "restore", "nowhere").err == "etl: nowhere is no file\n"
    for name in (*broken, *broken):
        ended = etl("db", "restore", name)
        assert (ended.status, ended.out) == (2, "")
        last = ended.err.splitlines()[-1]
        assert last.startswith(f"etl: {name} is not restored, the database is as it was: pg_restore")
        with open_engine(second_url).connect() as connection:
            assert connection.scalar(text("SELECT to_regclass('mart.price_current') IS NOT NULL"))


def _halved(folder: Path, url: URL) -> bool:
    """Whether there is a dump now of which the end is missing; there is none without pg_dump."""
    etl_process(folder, "db", "dump", "-Fc", "-f", "half.dump", DATABASE_URL=named(url))
    file = folder / "half.dump"
    if file.exists():
        file.write_bytes(file.read_bytes()[:-100])
    return file.exists()


ASKED = ("changes --format csv", "snapshots --json")
