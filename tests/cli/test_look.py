"""Looking at what is configured, what happened and what changed."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.cli.conftest import Run


def test_sources_tell_what_is_enabled_and_why_not(etl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHASEO_API_KEY", "planted-key-5566")
    ended = etl("sources", "--json")
    rows = {row["source"]: row for row in json.loads(ended.out)}
    assert {name: row["enabled"] for name, row in rows.items()} == {
        "bifrost": "no: no url configured",
        "helicone_gateway": "yes",
        "helicone_registry": "yes",
        "majestix": "no: MAJESTIX_API_KEY is not set",
        "phaseo": "yes",
    }
    assert rows["phaseo"]["credential"] == "PHASEO_API_KEY (set)"
    assert "planted-key-5566" not in ended.out + etl("sources").out


def test_sources_do_not_show_what_is_secret_in_a_url(etl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETL_BIFROST_URL", "https://me:planted-password@gateway.test/v1?token=planted-token")
    ended = etl("sources", "--json")
    assert {"source": "bifrost", "url": "https://gateway.test/v1"}.items() <= json.loads(ended.out)[0].items()
    assert "planted" not in ended.out


def test_sources_need_no_database(etl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://127.0.0.1:1/nothing")
    assert etl("sources").status == 0


def test_status_names_every_source_whether_configured_or_known(etl: Run, story: None) -> None:
    del story
    rows = {row["source"]: row for row in json.loads(etl("status", "--json").out)}
    assert rows["bifrost"]["status"] == "disabled"
    assert rows["helicone_gateway"]["status"] == "never"
    assert rows["demo_bifrost"]["enabled"] == "no: not configured"
    assert rows["demo_bifrost"]["models"] == 15
    assert "demo_phaseo" in etl("status").out


def test_snapshots_are_listed_from_the_newest(etl: Run, story: None) -> None:
    del story
    rows = json.loads(etl("snapshots", "--source", "demo_bifrost", "--limit", "2", "--json").out)
    assert [row["observed_at"] for row in rows] == ["2026-01-05T10:20:00+00:00", "2025-12-15T19:05:00+00:00"]
    assert {row["source"] for row in rows} == {"demo_bifrost"}
    table = etl("snapshots").out.splitlines()
    assert table[0].split()[:3] == ["snapshot_id", "source", "observed_at"]
    assert len(table) == 26


def test_a_moment_is_in_the_window_that_begins_with_it(etl: Run, story: None) -> None:
    del story
    window = ("--since", "2025-11-17T14:30:00Z", "--until", "2025-12-01T06:45:00")
    rows = json.loads(etl("changes", *window, "--json").out)
    assert {row["changed_at"] for row in rows} == {"2025-11-17T14:30:00+00:00"}
    assert etl("changes", "--since", "2025-11-17", "--until", "2025-11-18", "--json").out.count('"changed_at"') == len(
        rows
    )


def test_every_form_of_the_changes_tells_the_same(etl: Run, story: None) -> None:
    del story
    source = ("--source", "demo_bifrost")
    document = json.loads(etl("changes", *source, "--json").out)
    lines = [json.loads(line) for line in etl("changes", *source, "--format", "jsonl").out.splitlines()]
    written = list(csv.DictReader(io.StringIO(etl("changes", *source, "--format", "csv").out)))
    table = etl("changes", *source).out.splitlines()
    assert document == lines
    assert len(document) == len(written) == len(table) - 1 == 27
    assert [row["model_id"] for row in document] == [row["model_id"] for row in written]
    assert set(document[0]) == set(written[0])
    assert [row["changed_at"] for row in document] == [row["changed_at"] for row in written]


def test_amounts_are_exact_for_programs_and_per_million_for_people(etl: Run, story: None) -> None:
    del story
    one = ("changes", "--source", "demo_bifrost", "--until", "2025-11-18")
    first = json.loads(etl(*one, "--json").out, parse_float=Decimal)[0]
    assert (first["old_unit_price"], first["new_unit_price"]) == (Decimal("0.00000007"), Decimal("0.000000028"))
    assert ",0.00000007,0.000000028,USD," in etl(*one, "--format", "csv").out
    assert "0.07 → 0.028 USD per 1M" in etl(*one).out


def test_models_that_came_and_went_are_among_the_changes(etl: Run, story: None) -> None:
    del story
    table = etl("changes", "--source", "demo_helicone_gateway").out
    assert [" ".join(line.split()[3:]) for line in table.splitlines()[1:]] == [
        "claude-opus-4-5 model came",
        "o1 model went",
        "gpt-5.2 model came",
        "o1 model returned",
        "claude-3-opus model went",
    ]


@pytest.mark.parametrize("option", ["--since", "--until"])
def test_a_moment_that_is_none_is_explained(etl: Run, option: str) -> None:
    ended = etl("changes", option, "yesterday")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"etl: {option} yesterday is no ISO 8601 time: write 2026-01-31")


@pytest.mark.parametrize("command", ["changes", "snapshots"])
def test_a_source_that_nobody_knows_is_an_error(etl: Run, story: None, command: str) -> None:
    del story
    ended = etl(command, "--source", "demo_bifrst")
    assert (ended.status, ended.out) == (2, "")
    assert "no source demo_bifrst; did you mean demo_bifrost?" in ended.err


@pytest.mark.parametrize(
    ("command", "said"), [("changes", "no changes there"), ("snapshots", "no snapshots yet: `etl run`")]
)
def test_an_empty_warehouse_says_what_to_do(etl: Run, warehouse: Engine, command: str, said: str) -> None:
    del warehouse
    ended = etl(command)
    assert (ended.status, ended.out) == (0, "")
    assert said in ended.err
    assert json.loads(etl(command, "--json").out) == []


def test_csv_of_nothing_has_its_header(etl: Run, warehouse: Engine) -> None:
    del warehouse
    assert etl("changes", "--format", "csv").out.startswith("changed_at,source,model_id,provider,")


def test_a_file_beside_the_command_is_read(etl: Run, folder: Path) -> None:
    (folder / "etl.toml").write_text('[sources.acme]\nkind = "bifrost"\nurl = "http://acme.test"\n')
    (folder / "other.toml").write_text('[sources.other]\nkind = "bifrost"\n')
    assert "http://acme.test" in etl("sources").out
    assert "acme" not in etl("--config", "other.toml", "sources").out
