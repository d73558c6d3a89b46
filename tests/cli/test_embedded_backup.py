"""The documented ways out of an embedded warehouse: a dump restored in another one, and a copy into a real server."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from etl.database.engine import database_url, open_engine
from tests.cli.conftest import Run, named
from tests.conftest import free_port
from tests.dump import dump
from tests.processes import etl as etl_process
from tests.sources.fixtures import FIXTURES

pytestmark = pytest.mark.slow

QUESTION = ("changes", "--format", "csv")


class Home:
    """An embedded warehouse of its own."""

    def __init__(self, folder: Path, typing: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        self.variables = {"ETL_HOME": str(folder), "ETL_DB_PORT": str(free_port())}
        self._typing = typing
        self._patch = monkeypatch

    def etl(self, *arguments: str) -> str:
        for name, value in self.variables.items():
            self._patch.setenv(name, value)
        ended = self._typing(*arguments)
        assert ended.status == 0, ended
        return ended.out


@pytest.fixture
def homes(typing: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Home, Home]]:
    """One with a history, and one that nobody started yet."""
    one, other = (Home(folder / name, typing, monkeypatch) for name in ("one", "other"))
    saved = folder / "saved"
    saved.mkdir()
    for day, body in enumerate(("whole", "unknown-key"), 1):
        shutil.copy(FIXTURES / "bifrost" / body / "page-001.json", saved / f"2026-01-0{day}T00-00-00Z.json")
    try:
        one.etl("backfill", "bifrost", "saved", "--yes")
        yield one, other
    finally:
        one.etl("db", "stop")
        other.etl("db", "stop")


def test_a_dump_of_the_embedded_server_is_restored_in_another_home(homes: tuple[Home, Home], folder: Path) -> None:
    one, other = homes
    dumped = etl_process(folder, "db", "dump", "-Fc", "-f", "warehouse.dump", **one.variables)
    if "no pg_dump found" in dumped.err:
        pytest.skip("the embedded server has no pg_dump here")
    assert dumped.status == 0, dumped.err
    other.etl("db", "restore", "warehouse.dump")
    other.etl("verify")
    assert other.etl(*QUESTION) == one.etl(*QUESTION)


def test_an_embedded_warehouse_moves_to_a_real_server(
    homes: tuple[Home, Home], empty_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = homes
    expected = one.etl(*QUESTION)
    before = dump(open_engine(database_url(one.etl("db", "url"))))
    monkeypatch.setenv("TARGET_DATABASE_URL", named(empty_url))
    one.etl("db", "copy")
    monkeypatch.delenv("TARGET_DATABASE_URL")
    assert dump(open_engine(empty_url)) == before
    with monkeypatch.context() as patch:
        patch.setenv("DATABASE_URL", named(empty_url))
        assert one.etl(*QUESTION) == expected
        one.etl("verify")
        one.etl("backfill", "bifrost", "saved")
