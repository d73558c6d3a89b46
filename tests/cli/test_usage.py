"""Wrong usage and wrong configuration: status 2, one line that names the remedy, nothing started."""

from importlib.metadata import version
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine

from tests.cli.conftest import Run, named
from tests.dump import dump
from tests.extract.gateway import Gateway, ok


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("run", "--dry"), "No such option: --dry"),
        (("pull",), "No such command 'pull'"),
        (("backfill", "bifrost"), "Missing argument 'PATH"),
        (("changes", "--format", "xml"), "'xml' is not one of"),
        (("snapshots", "--limit", "0"), "--limit"),
        (("--config",), "requires an argument"),
    ],
)
def test_what_cannot_be_typed_is_explained(etl: Run, typed: tuple[str, ...], said: str) -> None:
    ended = etl(*typed)
    assert ended.status == 2
    assert said in ended.err
    assert ended.out == ""


def test_every_command_explains_itself(etl: Run) -> None:
    listed = etl("--help")
    assert listed.status == 0
    for command in ("demo", "run", "backfill", "sources", "status", "snapshots", "changes", "verify", "raw", "db"):
        assert f"\n  {command} " in listed.out
        assert etl(command, "--help").status == 0


def test_the_short_form_asks_for_help_too(etl: Run) -> None:
    assert etl("-h").out == etl("--help").out
    assert etl("snapshots", "reject", "-h").out == etl("snapshots", "reject", "--help").out


def test_the_version_is_that_of_the_package(etl: Run) -> None:
    assert etl("--version") == (0, f"etl {version('llm-price-warehouse')}\n", "")


@pytest.mark.parametrize("spelled", [("--config", "mine.toml"), ("--config=mine.toml",)])
def test_the_configuration_is_named_before_or_behind_the_command(
    etl: Run, folder: Path, spelled: tuple[str, ...]
) -> None:
    (folder / "mine.toml").write_text("[sources.acme]\nkind = 'bifrost'\nurl = 'http://127.0.0.1:1'\n")
    behind, before = etl("sources", "--json", *spelled), etl(*spelled, "sources", "--json")
    assert (before.status, '"acme"' in before.out) == (0, True)
    assert behind == before


def test_no_missed_slot_is_no_complaint(etl: Run, warehouse: Engine) -> None:
    assert dump(warehouse)
    assert etl("slots", "--missed").err == "no slot was missed\n"


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        (("run", "helicone_gatway"), "helicone_gateway"),
        (("run", "HELICONE_REGISTRY"), "helicone_registry"),
        (("backfill", "phaeso", "."), "phaseo"),
    ],
)
def test_an_unknown_source_is_named_with_the_near_one(etl: Run, typed: tuple[str, ...], near: str) -> None:
    ended = etl(*typed)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err == f"etl: no source {typed[1]}; did you mean {near}?\n"


@pytest.mark.parametrize(("name", "variable"), [("majestix", "MAJESTIX_API_KEY"), ("phaseo", "PHASEO_API_KEY")])
def test_a_missing_credential_is_named_and_nothing_is_started(
    etl: Run, warehouse: Engine, monkeypatch: pytest.MonkeyPatch, name: str, variable: str
) -> None:
    before = dump(warehouse)
    with Gateway(ok(b"{}")) as gateway:
        monkeypatch.setenv("ETL_BIFROST_URL", gateway.url)
        ended = etl("run", "bifrost", name)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err == f"etl: {name}: no credential: set the environment variable {variable}\n"
    assert gateway.asked == []
    assert dump(warehouse) == before


def test_a_url_that_is_none_starts_nothing(etl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETL_BIFROST_URL", "localhost:8080")
    ended = etl("run", "bifrost", "helicone_registry")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err == "etl: environment: ETL_BIFROST_URL: that is no url: write it like https://host/path\n"


@pytest.mark.parametrize("typed", [("run",), ("run", "--due"), ("status",), ("sources",), ("schedule",)])
@pytest.mark.parametrize(
    ("toml", "line"),
    [
        ("[sources.bifrost]\nschedule = '7 * *'", "etl.toml: sources.bifrost.schedule: write five fields"),
        ("[[alerts.webhooks]]\nname = 'a'\nurl_env = 'X'", "etl.toml: alerts.webhooks.1.url_env: X is not set: set it"),
        ("[alerts]\nping_env = 'X'", "etl.toml: alerts.ping_env: X is not set: set it, or X_FILE to a file"),
        ("[sources.a_b]\nkind='phaseo'\n[sources.a-b]\nkind='phaseo'", "etl.toml: sources.a-b: ETL_A_B_URL would be"),
        ("[sources.phaseo]\ncredential_file = 'no'", "etl.toml: sources.phaseo.credential_file: no cannot be read"),
    ],
)
def test_a_wrong_configuration_starts_nothing(
    etl: Run, folder: Path, typed: tuple[str, ...], toml: str, line: str
) -> None:
    (folder / "etl.toml").write_text(toml)
    ended = etl(*typed)
    assert (ended.status, ended.out) == (2, "")
    [said] = ended.err.splitlines()
    assert said.startswith(f"etl: {line}")


def test_a_variable_that_looks_like_one_of_ours_is_a_warning(etl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETL_DB_PROT", "1234")
    ended = etl("sources")
    assert ended.status == 0
    assert ended.err == "warning: environment: ETL_DB_PROT means nothing to etl; did you mean ETL_DB_PORT?\n"


def test_a_credential_that_no_header_can_carry_starts_nothing(etl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAJESTIX_API_KEY", "inf_two\nlines")
    ended = etl("run")
    assert ended.status == 2
    assert ended.err == "etl: the credential in MAJESTIX_API_KEY is no plain text on one line; set it again\n"


def test_no_enabled_source_is_said(etl: Run, folder: Path) -> None:
    (folder / "etl.toml").write_text(
        "[sources.helicone_gateway]\nenabled = false\n[sources.helicone_registry]\nenabled = false\n"
    )
    ended = etl("run")
    assert ended.status == 2
    assert "no source is enabled: `etl sources` says why" in ended.err


def test_a_misspelt_key_is_named_with_the_near_one(etl: Run, folder: Path) -> None:
    (folder / "etl.toml").write_text("[sources.bifrost]\ntimeout_second = 3\n")
    ended = etl("run")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err == ("etl: etl.toml: unknown key sources.bifrost.timeout_second; did you mean timeout_seconds?\n")


def test_a_configuration_file_that_is_not_there_is_an_error(etl: Run) -> None:
    ended = etl("--config", "elsewhere.toml", "sources")
    assert ended.status == 2
    assert (
        ended.err == "etl: elsewhere.toml: cannot be read: No such file or directory; check the path and its rights\n"
    )


@pytest.mark.parametrize("typed", [("run",), ("status",), ("changes",), ("demo",), ("db", "status"), ("db", "upgrade")])
def test_an_unreachable_database_is_one_line_without_the_password(
    etl: Run, monkeypatch: pytest.MonkeyPatch, typed: tuple[str, ...]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://me:planted-password@127.0.0.1:1/prices")
    ended = etl(*typed)
    assert (ended.status, ended.out) == (2, "")
    [line] = ended.err.splitlines()
    assert line.startswith("etl: no database at postgresql://me:***@127.0.0.1:1/prices")
    assert "planted-password" not in line


@pytest.mark.parametrize("url", ["prices", "mysql://me:planted-password@host/prices"])
def test_a_database_url_that_is_none_is_one_line(etl: Run, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    ended = etl("status")
    assert ended.status == 2
    assert ended.err.startswith("etl: DATABASE_URL ")
    assert "planted-password" not in ended.err


@pytest.mark.parametrize("typed", [("run",), ("status",), ("snapshots",), ("demo",)])
def test_an_older_schema_is_not_migrated_behind_anybodys_back(
    etl: Run, monkeypatch: pytest.MonkeyPatch, empty_url: URL, typed: tuple[str, ...]
) -> None:
    monkeypatch.setenv("DATABASE_URL", named(empty_url))
    ended = etl(*typed)
    assert (ended.status, ended.out) == (2, "")
    [line] = ended.err.splitlines()
    assert "run `etl db upgrade`" in line
