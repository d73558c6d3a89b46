"""``etl db copy``: where to, what it prints, and what it refuses."""

import json
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine

from etl.database.engine import open_engine
from tests.cli.conftest import Run, named
from tests.dump import dump
from tests.load.archiving import WORLDS, fill


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
