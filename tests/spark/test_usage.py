"""`etl rebuild` and `etl verify --against`: what is wrong ends in one line before anything is started."""

import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from etl.errors import ConfigurationError
from etl.load import rebuilt
from tests.cli.conftest import Run, warehouse
from tests.load.believing import load
from tests.load.worlds import WORLDS

__all__ = ["warehouse"]  # As the tests of the command line have it.

OURS = "again"


def refused(etl: Run, *arguments: str) -> str:
    """The one line with which a command is refused."""
    ended = etl(*arguments)
    assert ended.status == 2, ended.err
    [line] = ended.err.splitlines()
    return line


def test_an_engine_that_is_not_there_is_named(etl: Run) -> None:
    assert "no engine postgres: write --engine spark" in refused(etl, "rebuild", "--engine", "postgres", "-o", "out")


def test_without_pyspark_the_line_says_how_to_install_it(etl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    assert "pip install 'llm-price-warehouse[spark]'" in refused(etl, "rebuild", "-o", "out")


def test_without_java_the_line_says_how_to_install_it(
    etl: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyspark", reason="the extra `spark` is not installed")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    line = refused(etl, "rebuild", "-o", "out")
    assert "no Java" in line
    assert "JAVA_HOME" in line


def test_a_java_that_is_too_old_is_named(etl: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark", reason="the extra `spark` is not installed")
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_292\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert "the Java here is 8, and Spark needs 17" in refused(etl, "rebuild", "-o", "out")


def test_what_is_compared_with_a_schema_is_not_applied(etl: Run) -> None:
    assert "exclude each other" in refused(etl, "verify", "--apply", "--against", OURS)


def test_a_schema_that_holds_no_rebuilt_history_is_named(etl: Run, warehouse: Engine) -> None:
    load(warehouse, "s", 0, WORLDS[0])
    assert "etl rebuild --output DIR --into nothing" in refused(etl, "verify", "--against", "nothing")
    assert "not for rebuilt histories" in refused(etl, "verify", "--against", "core")


@pytest.mark.parametrize("schema", ["raw", "core", "mart", "public", "pg_temp", "information_schema", "A", "a b", ""])
def test_no_history_is_rebuilt_into_a_schema_that_has_another_use(engine: Engine, schema: str) -> None:
    with engine.connect() as connection, pytest.raises(ConfigurationError):
        rebuilt.create(connection, schema)


@pytest.mark.parametrize(
    "foreign",
    [
        "CREATE TABLE again.mine (id int)",
        "CREATE TABLE again.price (id int)",
        "CREATE VIEW again.mine AS SELECT 1",
        "CREATE FUNCTION again.mine() RETURNS int LANGUAGE sql RETURN 1",
        "CREATE SEQUENCE again.mine",
    ],
)
def test_a_schema_that_holds_anything_else_is_left_alone(owner_engine: Engine, foreign: str) -> None:
    with owner_engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA again"))
        connection.execute(text(foreign))
        with pytest.raises(ConfigurationError, match="which is not ours"):
            rebuilt.create(connection, OURS)


def test_our_own_schema_is_made_anew_and_empty(owner_engine: Engine) -> None:
    with owner_engine.begin() as connection:
        rebuilt.create(connection, OURS)
        connection.execute(text("INSERT INTO again.part VALUES ('price', 0)"))
        rebuilt.create(connection, OURS)
        assert connection.scalar(text("SELECT count(*) FROM again.part")) == 0
        rebuilt.require_there(connection, OURS)
