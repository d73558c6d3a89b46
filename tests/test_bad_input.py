"""A source that answers badly: one clear line, its bytes kept, its history untouched, the other sources done."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest
from sqlalchemy import URL, Engine, text

from etl.database.engine import open_engine
from tests.conftest import _database
from tests.extract.gateway import Act, Gateway, ok, reply
from tests.processes import Ended, etl
from tests.sources.fixtures import FIXTURES

CATALOG = (FIXTURES / "bifrost" / "whole" / "page-001.json").read_bytes()

KEY = "sk-bf-planted-9e21aa"

BAD: dict[str, tuple[Act, str, str]] = {
    "failing": (reply(503, b"busy", Retry_After="0.01"), "HTTP 503 (5 attempts)", "try again later"),
    "page": (reply(200, b"<!DOCTYPE html><p>Sign in", Content_Type="text/html"), "HTML where JSON", "url and path"),
    "cut": (ok(CATALOG[: len(CATALOG) // 2]), "no JSON", "look at what was landed"),
    "nothing": (ok(b""), "an empty body", "look at what was landed"),
    "shape": (ok(b'{"models": {"a": 1}}'), "data", "look at what was landed"),
    "number": (ok(b"42"), "object", "look at what was landed"),
    "absurd": (ok(b"[" * 9_000), "JSON", "look at what was landed"),
    "huge": (ok(b'{"data": [' + b" " * 300_000), "more than 200,000 bytes", "allow larger pages"),
    "shut": (reply(403, f'{{"error": {{"message": "{KEY} is no key"}}}}'.encode()), "HTTP 403", "BIFROST_API_KEY"),
    "gone": (reply(404, b"not here"), "HTTP 404", "check url and path"),
}
"""What each gateway says after a good catalog; what the line tells of it; what it advises."""

GOOD = ("well", "fine")


class Fallen(NamedTuple):
    """A run in which ten sources answered badly and two well, and history before and after it."""

    run: Ended
    engine: Engine
    urls: dict[str, str]
    before: list[Any]
    after: list[Any]

    def line(self, name: str) -> str:
        """The one complaint about a source."""
        [line] = [line for line in self.run.complaints if line.startswith(f"etl: {name}: ")]
        return line


def _history(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        columns = "source, model_id, provider, meter, unit_price, valid_from, valid_to"
        return list(connection.execute(text(f"SELECT {columns} FROM mart.price_history ORDER BY 1, 2, 3, 4, 6")))


@pytest.fixture(scope="module")
def fallen(server_url: URL, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fallen]:
    folder = tmp_path_factory.mktemp("falling")
    with ExitStack() as stack:
        url = stack.enter_context(_database(server_url, template=template))
        acts: dict[str, list[Act]] = {name: [ok(CATALOG), bad] for name, (bad, _, _) in BAD.items()}
        acts |= {name: [ok(CATALOG)] for name in GOOD}
        urls = {name: stack.enter_context(Gateway(*script)).url for name, script in acts.items()}
        lines = [f'[sources.{name}]\nkind = "bifrost"\nurl = "{at}"\n' for name, at in urls.items()]
        (folder / "etl.toml").write_text("\n".join(["max_page_bytes = 200_000", *lines]))
        settings = {"DATABASE_URL": url.render_as_string(hide_password=False), "BIFROST_API_KEY": KEY}
        engine = open_engine(url)
        assert etl(folder, "run", *urls, **settings).status == 0
        before = _history(engine)
        run = etl(folder, "run", *urls, **settings)
        yield Fallen(run, engine, urls, before, _history(engine))


def test_the_exit_status_says_that_something_failed(fallen: Fallen) -> None:
    assert fallen.run.status == 1
    assert len(fallen.run.complaints) == len(BAD)
    assert "Traceback" not in fallen.run.err


@pytest.mark.parametrize("name", BAD)
def test_one_line_names_the_source_its_url_what_came_and_what_to_do(fallen: Fallen, name: str) -> None:
    _, came, advice = BAD[name]
    line = fallen.line(name)
    assert f"{fallen.urls[name]}/v1/models" in line
    assert came in line
    assert advice in line


def test_a_line_does_not_repeat_the_key_that_the_gateway_repeats(fallen: Fallen) -> None:
    assert "[secret] is no key" in fallen.line("shut")
    assert KEY not in fallen.run.err + fallen.run.out


@pytest.mark.parametrize("name", BAD)
def test_what_came_is_landed_as_failed(fallen: Fallen, name: str) -> None:
    with fallen.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT status, reason, bytes FROM mart.snapshot WHERE source = :name ORDER BY landed_at"),
            {"name": name},
        ).all()
    assert [row.status for row in rows] == ["loaded", "failed"]
    assert BAD[name][1] in rows[1].reason
    assert (rows[1].bytes > 0) == (name != "nothing")


def test_history_is_untouched(fallen: Fallen) -> None:
    assert fallen.before
    assert fallen.after == fallen.before


@pytest.mark.parametrize("name", GOOD)
def test_the_other_sources_are_done(fallen: Fallen, name: str) -> None:
    with fallen.engine.connect() as connection:
        statuses = connection.scalars(
            text("SELECT status FROM mart.snapshot WHERE source = :name ORDER BY landed_at"), {"name": name}
        )
        assert list(statuses) == ["loaded", "unchanged"]


def test_what_libraries_say_of_retries_stays_off_stdout(fallen: Fallen) -> None:
    assert fallen.run.err.count("asking again") == 4
    assert "asking again" not in fallen.run.out
