"""``etl`` in this process, through ``main``: what is typed, the environment, and how it ends."""

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest
import stamina
import structlog
from sqlalchemy import URL, Engine

from etl.cli import main
from etl.database.engine import open_engine
from tests.conftest import Demo, _database, free_port
from tests.database.roles import owner_of
from tests.extract.gateway import Gateway, ok
from tests.listening import silence
from tests.processes import Ended

Run = Callable[..., Ended]
"""Takes what is typed after ``etl``."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, which also has the ETL_HOME that nobody should touch, and no configuration yet.

    The port is another one than usual, where the embedded server of the person who runs the tests may listen.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ETL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ETL_DB_PORT", str(free_port()))
    return tmp_path


@pytest.fixture
def typing(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """The command, in an empty folder."""
    assert folder.is_dir()
    hooks = stamina.instrumentation.get_on_retry_hooks()

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["etl", *arguments])
        capsys.readouterr()
        try:
            main()
        except SystemExit as end:
            said = capsys.readouterr()
            return Ended(int(end.code or 0), said.out, said.err)
        raise AssertionError("a command ends with a status")

    yield run
    structlog.reset_defaults()
    silence()
    stamina.instrumentation.set_on_retry_hooks(hooks)


@pytest.fixture
def etl(typing: Run, folder: Path) -> Iterator[Run]:
    """The command, of which nothing embedded may come."""
    yield typing
    assert not (folder / "home").exists()


def named(url: URL) -> str:
    """A database as DATABASE_URL names it."""
    return url.render_as_string(hide_password=False)


@pytest.fixture
def warehouse(warehouse_url: URL, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A warehouse of this test's own, named by DATABASE_URL."""
    monkeypatch.setenv("DATABASE_URL", named(warehouse_url))
    return open_engine(warehouse_url)


@pytest.fixture
def second_url(server_url: URL, template: str) -> Iterator[URL]:
    """Another warehouse, migrated and empty, for its owner."""
    with _database(server_url, template=template) as url:
        yield owner_of(url)


@pytest.fixture(scope="session")
def story_url(server_url: URL, told_demo: Demo) -> Iterator[URL]:
    """A warehouse that holds the story of the demo; to tell it again changes nothing."""
    assert all(result.is_well for result in told_demo.results)
    with _database(server_url, template=told_demo.name) as url:
        yield url


@pytest.fixture
def story(story_url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    """DATABASE_URL names the story."""
    monkeypatch.setenv("DATABASE_URL", named(story_url))


@pytest.fixture
def story_engine(story_url: URL) -> Engine:
    """The story, for questions in SQL."""
    return open_engine(story_url)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A gateway that is well and has our time."""
    with Gateway(ok(b'{"data": []}', Date=format_datetime(datetime.now(UTC), usegmt=True))) as listening:
        yield listening


@pytest.fixture
def file(folder: Path) -> Callable[..., None]:
    """Writes etl.toml: the bifrost source s at a url, others by name, and what else is said; nothing public."""

    def write(url: str, more: str = "", **others: str) -> None:
        public = "".join(f"[sources.{name}]\nenabled = false\n" for name in ("helicone_registry", "helicone_gateway"))
        urls = {"s": url, **others}
        ours = "".join(
            f'[sources.{name}]\nkind = "bifrost"\nurl = "{at}"\nenabled = true\n' for name, at in urls.items()
        )
        (folder / "etl.toml").write_text(more + "\n" + public + ours)

    return write
