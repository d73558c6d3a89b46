"""``etl run`` in a process of its own against gateways of all five kinds on loopback, into a real warehouse."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import URL, Engine, text

from etl.database.engine import open_engine
from etl.demo.samples import RECORDS
from etl.demo.server import CREDENTIALS, Gateways
from tests.conftest import _database
from tests.dump import HISTORY, dump
from tests.processes import Ended, etl

VIRTUAL_KEY = "sk-bf-planted-5f0c1d"
PASSWORD = "planted-pass-word-77aa"
QUERY_TOKEN = "planted-query-token-31"

SECRETS = (VIRTUAL_KEY, PASSWORD, QUERY_TOKEN, *CREDENTIALS.values())


class Told(NamedTuple):
    """What every run of the story said, and what the warehouse held after it."""

    engine: Engine
    folder: Path
    runs: dict[str, Ended]
    held: dict[str, dict[str, list[str]]]

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """What a SELECT answers."""
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(sql)).mappings()]


def _settings(gateways: Gateways, warehouse: URL) -> dict[str, str]:
    """The environment of a person who pulls all five, with every kind of secret that there can be."""
    urls = {f"ETL_{kind.upper()}_URL": gateways.url(kind) for kind in RECORDS}
    bifrost = urls["ETL_BIFROST_URL"].replace("//", f"//me:{PASSWORD}@")
    keys = {f"{kind.upper()}_API_KEY": key for kind, key in CREDENTIALS.items()}
    return {
        "DATABASE_URL": warehouse.render_as_string(hide_password=False).replace("postgresql+psycopg", "postgres"),
        **urls,
        "ETL_BIFROST_URL": f"{bifrost}?token={QUERY_TOKEN}",
        **keys,
        "BIFROST_API_KEY": VIRTUAL_KEY,
    }


@pytest.fixture(scope="module")
def told(server_url: URL, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Five runs: the first, the same again, a rehearsal of what changed meanwhile, the change, and a look around."""
    folder = tmp_path_factory.mktemp("pulling")
    (folder / "etl.toml").write_text('[sources.phaseo]\npath = "/models"\npage_size = 4\n')
    steps = [("first", 0, ()), ("again", 0, ()), ("rehearsed", 1, ("--dry-run",)), ("changed", 1, ("--json",))]
    runs, held = {}, {}
    with _database(server_url, template=template) as url, Gateways() as gateways:
        engine = open_engine(url)
        settings = _settings(gateways, url)
        for name, gateways.step, options in steps:
            runs[name] = etl(folder, "run", *options, **settings)
            held[name] = dump(engine)
        runs["sources"] = etl(folder, "sources", **settings)
        yield Told(engine, folder, runs, held)


def test_all_five_load(told: Told) -> None:
    assert told.runs["first"].status == 0
    assert told.runs["first"].complaints == []
    rows = told.rows(
        "SELECT DISTINCT ON (source) source, status, is_complete, origin FROM mart.snapshot ORDER BY source, landed_at"
    )
    assert [tuple(row.values()) for row in rows] == [(kind, "loaded", True, "run") for kind in sorted(RECORDS)]
    priced = {row["source"] for row in told.rows("SELECT DISTINCT source FROM mart.price_current")}
    assert priced == set(RECORDS) - {"helicone_gateway"}


def test_piped_progress_is_a_line_for_each_source_on_stderr(told: Told) -> None:
    lines = [line for line in told.runs["first"].err.splitlines() if not line.startswith("{")]
    assert [line.split()[0] for line in lines] == [f"[{count}/5]" for count in range(1, 6)]
    assert {line.split()[1] for line in lines} == set(RECORDS)
    assert "\x1b" not in told.runs["first"].err + told.runs["first"].out


def test_the_same_catalogs_again_are_unchanged(told: Told) -> None:
    again = told.runs["again"]
    assert again.status == 0
    assert again.out.count("unchanged") == 5
    for table in HISTORY:
        assert told.held["again"][table] == told.held["first"][table], table


def test_what_the_server_vouches_for_is_not_sent_again(told: Told) -> None:
    rows = told.rows(
        "SELECT s.source FROM raw.page p JOIN raw.snapshot s USING (snapshot_id) WHERE p.status = 304 ORDER BY s.source"
    )
    assert [row["source"] for row in rows] == ["helicone_registry"]


def test_a_rehearsal_prints_what_would_change_and_writes_nothing(told: Told) -> None:
    rehearsed = told.runs["rehearsed"]
    assert rehearsed.status == 0
    assert told.held["rehearsed"] == told.held["again"]
    assert "deepseek/deepseek-chat" in rehearsed.out
    assert "0.56 → 0.28 USD per 1M" in rehearsed.out
    assert "a dry run: nothing was written" in rehearsed.err


def test_json_is_one_document_on_stdout(told: Told) -> None:
    changed = told.runs["changed"]
    document = json.loads(changed.out)
    assert changed.status == 0
    assert {row["source"]: row["status"] for row in document} == {
        "bifrost": "loaded",
        "helicone_gateway": "unchanged",
        "helicone_registry": "loaded",
        "majestix": "unchanged",
        "phaseo": "loaded",
    }


def test_what_was_rehearsed_is_what_then_changes(told: Told) -> None:
    rows = told.rows(
        "SELECT old_unit_price::text AS old, new_unit_price::text AS new FROM mart.price_change"
        " WHERE source = 'bifrost' AND model_id = 'deepseek/deepseek-chat' AND meter = 'input_token'"
    )
    assert [tuple(row.values()) for row in rows] == [("0.00000056", "0.00000028")]


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_is_said_or_stored(told: Told, secret: str) -> None:
    for name, run in told.runs.items():
        assert secret not in run.out, name
        assert secret not in run.err, name
    for rows in told.held["changed"].values():
        assert not any(secret in row for row in rows)


def test_no_secret_is_in_a_landed_body(told: Told) -> None:
    import zstandard  # noqa: PLC0415

    with told.engine.connect() as connection:
        bodies = [zstandard.decompress(body) for body in connection.scalars(text("SELECT body FROM raw.content"))]
    assert bodies
    assert not any(secret.encode() in body for body in bodies for secret in SECRETS)


def test_a_given_database_leaves_the_embedded_one_alone(told: Told) -> None:
    assert not (told.folder / "home").exists()
    assert {path.name for path in told.folder.iterdir()} == {"etl.toml"}
