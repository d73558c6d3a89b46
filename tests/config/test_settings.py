"""What can be configured, where, and what is said when it is wrong."""

from datetime import timedelta
from pathlib import Path

import pytest

from etl import config
from etl.errors import ConfigurationError, CredentialError
from tests.config.writing import settings, sources


def test_nothing_need_be_configured() -> None:
    found = config.load(None)
    assert found.database_url is None
    assert found.db_port is None
    assert found.max_page_bytes == 64 * 1024 * 1024
    assert found.sources == {}


def test_the_file_of_the_folder_is_read_and_another_one_on_request() -> None:
    assert settings("db_port = 1234").db_port == 1234
    assert settings("db_port = 4321", "other.toml").db_port == 4321


def test_environment_beats_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETL_DB_PORT", "2222")
    monkeypatch.setenv("DATABASE_URL", "postgres://there")
    found = settings('db_port = 1234\ndatabase_url = "postgres://here"')
    assert (found.db_port, found.database_url) == (2222, "postgres://there")


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setenv("ETL_DB_PORT", "")
    found = settings("db_port = 1234")
    assert (found.db_port, found.database_url) == (1234, None)


def test_a_file_named_by_the_environment_beats_the_file_as_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("postgres://me:planted@there\n")
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "secret"))
    assert settings('database_url = "postgres://here"').database_url == "postgres://me:planted@there"
    assert settings('DATABASE_URL = "postgres://here"').database_url == "postgres://me:planted@there"


def test_the_password_of_the_database_is_not_in_the_representation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://me:planted@host/db")
    assert "planted" not in repr(settings(""))


def test_a_key_of_a_table_is_set_by_a_variable_and_the_others_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETL_ALERTS__FAILURES", "5")
    monkeypatch.setenv("ETL_SOURCES__BIFROST__MAX_AGE", "36h")
    found = settings("[alerts]\nfailures = 2\nrepeat = '1h'\n[sources.bifrost]\npage_size = 9\nmax_age = '1h'")
    assert (found.alerts.failures, found.alerts.repeat) == (5, timedelta(hours=1))
    assert (found.sources["bifrost"].page_size, found.sources["bifrost"].max_age) == (9, timedelta(hours=36))


def test_the_url_of_a_source_comes_from_its_own_variable_or_a_file_before_all_else(tmp_path: Path) -> None:
    toml = "[sources.bifrost]\nurl = 'http://file'"
    (tmp_path / "secret").write_text("http://secret:file@here\n")
    assert sources(toml, ETL_BIFROST_URL="http://variable")["bifrost"].url == "http://variable"
    assert sources(toml, ETL_BIFROST_URL_FILE=str(tmp_path / "secret"))["bifrost"].url == "http://secret:file@here"


def test_a_tilde_in_a_file_is_the_users_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert settings('home = "~/prices"').home == tmp_path / "prices"


def test_a_file_that_is_no_text_is_one_line() -> None:
    Path("etl.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="^etl.toml: no valid TOML"):
        config.load(None)


def test_every_kind_has_a_built_in_source_of_its_name() -> None:
    assert list(sources()) == ["bifrost", "helicone_gateway", "helicone_registry", "majestix", "phaseo"]


def test_the_public_ones_are_enabled_and_the_others_by_their_url_or_key() -> None:
    def enabled(**environ: str) -> set[str]:
        return {name for name, source in sources(**environ).items() if source.is_enabled}

    public = {"helicone_gateway", "helicone_registry"}
    assert enabled() == public
    assert enabled(ETL_BIFROST_URL="http://x") == public | {"bifrost"}
    assert enabled(MAJESTIX_API_KEY="inf_1", PHASEO_API_KEY="k") == public | {"majestix", "phaseo"}
    assert enabled(MAJESTIX_API_KEY=" ") == public


def test_enabled_beats_what_is_there() -> None:
    found = sources("[sources.bifrost]\nenabled = true\n[sources.phaseo]\nenabled = false", PHASEO_API_KEY="k")
    assert found["bifrost"].is_enabled
    assert (found["phaseo"].is_enabled, found["phaseo"].why_disabled) == (False, "enabled = false")


def test_two_gateways_of_one_kind_are_two_sources() -> None:
    toml = (
        "[sources.bifrost-eu]\nkind = 'bifrost'\nurl = 'http://eu'\ncredential = 'EU_KEY'\n"
        "[sources.bifrost-us]\nkind = 'bifrost'\nurl = 'http://us'\n"
    )
    found = sources(toml, EU_KEY="e", BIFROST_API_KEY="b", ETL_BIFROST_US_URL="http://env")
    assert [(found[name].kind, found[name].url, found[name].secret) for name in ("bifrost-eu", "bifrost-us")] == [
        ("bifrost", "http://eu", "e"),
        ("bifrost", "http://env", "b"),
    ]


def test_a_secret_is_not_in_the_representation() -> None:
    found = sources(PHASEO_API_KEY="planted", ETL_BIFROST_URL="http://planted:planted@host?token=planted")
    assert "planted" not in repr(found)


def test_a_required_credential_is_named_by_its_variable() -> None:
    found = sources("[sources.phaseo]\ncredential = 'OTHER_KEY'")
    with pytest.raises(CredentialError, match="^phaseo: no credential: set the environment variable OTHER_KEY$"):
        found["phaseo"].require_credential()
    found["bifrost"].require_credential()


@pytest.mark.parametrize(
    ("written", "age"),
    [("'90s'", 90), ("'30m'", 1800), ("'1.5h'", 5400), ("'2d'", 172_800), ("60", 60), ("'PT1H'", 3600)],
)
def test_an_age_has_a_unit_or_counts_seconds(written: str, age: int) -> None:
    found = sources(f"[sources.bifrost]\nmax_age = {written}")
    assert found["bifrost"].settings.max_age == timedelta(seconds=age)
