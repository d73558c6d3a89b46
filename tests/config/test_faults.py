"""What is wrong with a configuration is one line: the file or the variable, the key, what may have been meant."""

from pathlib import Path

import pytest

from etl import config
from etl.errors import ConfigurationError
from tests.config.writing import fault

HOOK = "[[alerts.webhooks]]\nname = 'a'\n"

WATCH = "[[alerts.price_changes]]\nname = 'w'\n"


@pytest.mark.parametrize(
    ("toml", "line"),
    [
        ("hom = 'x'", "unknown key hom; did you mean home?"),
        ("[source.bifrost]", "unknown key source; did you mean sources?"),
        ("[sources.bifrost]\nurll = 'x'", "unknown key sources.bifrost.urll; did you mean url?"),
        (
            "[sources.bifrost]\nzzz = 1",
            "unknown key sources.bifrost.zzz; known keys: allow_http, credential, c",
        ),
        (
            "[sources.alerts]\nkind = 'bifrost'\nfailures = 1",
            "unknown key sources.alerts.failures; known keys: allow_http, cred",
        ),
        ("[alerts]\nfailurs = 1", "unknown key alerts.failurs; did you mean failures?"),
        (f"{HOOK}url = 'http://x'\n{HOOK}urll = 'x'", "unknown key alerts.webhooks.2.urll; did you mean url?"),
        (HOOK, "alerts.webhooks.1: Nothing says where to post: give it one of url, url_env, url_file"),
        (f"{HOOK}url = 'http://x'\nfromat = 'x'", "unknown key alerts.webhooks.1.fromat; did you mean format?"),
        (f"{WATCH}{WATCH}min_rato = 2", "unknown key alerts.price_changes.2.min_rato; did you mean min_ratio?"),
        ("[[margins]]\nkid = 'bifrost'", "unknown key margins.1.kid; did you mean kind?"),
        ("[[margins]]\nkind = 'bifrost'", "margins.1.factor: Field required: add the key"),
        ("db_port = 'x'", "db_port: Input should be a valid integer"),
        ("[sources.bifrost]\npage_size = 0", "sources.bifrost.page_size: Input should be greater than"),
        ("[sources.bifrost]\npath = 'models'", "sources.bifrost.path: String should match pattern '^/'"),
        ("[sources.bifrost]\nmax_age = 'long'", "sources.bifrost.max_age: Write a time like 90s, 30m, 36h or 2d"),
        ("[sources.bifrost]\nmax_age = 0", "sources.bifrost.max_age: Input should be greater than"),
        ("[sources.bifrost]\nmax_age = '99999999999d'", "sources.bifrost.max_age: Input should be less than or equal"),
        ("[sources.bifrost]\njitter = -1", "sources.bifrost.jitter: Input should be greater than or equal"),
        ("[sources.bifrost]\nschedule = '7 * * *'", "sources.bifrost.schedule: write five fields, minute hour day"),
        ("[sources.bifrost]\nschedule = '61 * * * *'", "sources.bifrost.schedule: "),
        ("[sources.bifrost]\ntimeout_seconds = inf", "sources.bifrost.timeout_seconds: Input should be less than"),
        ("ca_file = 'nowhere.pem'", "ca_file: There is no such file: check the path"),
        (f"ca_file = '{'x' * 5000}'", "ca_file: There is no such file: check the path"),
        ("home = ''", "home: Write a path, or take the key out"),
        ('home = "a\\u0000b"', "home: Write a path, or take the key out"),
        ("home = '~nobody-of-that-name/x'", "home: Nobody knows the home of that user: write the whole path"),
        ("alerts = 5", "alerts: Write it as a table, with its keys below its name in brackets"),
        ("sources = 5", "sources: Write it as a table, with its keys below its name in brackets"),
        ("[alerts]\nwebhooks = 'http://x'", "alerts.webhooks: Begin each entry with the name in double brackets"),
        ("[sources.helicone]", "sources.helicone: no kind of that name, so it needs a `kind`; did you mean helicone_"),
        ("[sources.x]\nkind = 'bifrst'", "sources.x.kind: unknown kind bifrst; did you mean bifrost?"),
        ("[sources.bifrost]\nurl = 'localhost:8080'", "sources.bifrost.url: That is no url: write it like https://"),
        ("[sources.bifrost]\nurl = 'http://x:99999'", "sources.bifrost.url: That is no url: write it like https://"),
        ("[sources.bifrost]\nurl = 'ftp://x'", "sources.bifrost.url: That is no url: write it like https://host/path"),
        (
            "[sources.helicone_gateway]\ncredential = 'K'",
            "sources.helicone_gateway.credential: sources of kind helicone_gateway send no credential",
        ),
        (
            "[sources.phaseo]\ncredential = 'K'\ncredential_file = 'k'",
            "sources.phaseo: credential and credential_file exclude each other: take all but one out",
        ),
        (
            "[sources.bifrost]\n[sources.bifrost]",
            "line 2: source bifrost stands there twice: keep one heading with all",
        ),
        ("[alerts]\n[alerts]", "line 2: alerts stands there twice: keep one heading with all its keys"),
        ("db_port = 1\ndb_port = 2", "no valid TOML: Cannot overwrite a value"),
        ("db_port 1", "no valid TOML: "),
    ],
)
def test_what_is_wrong_in_a_file_is_named_with_its_place(toml: str, line: str) -> None:
    assert fault(toml).startswith(f"etl.toml: {line}")


@pytest.mark.parametrize(
    ("toml", "name", "value", "line"),
    [
        ("", "ETL_DB_PORT", "x", ": Input should be a valid integer"),
        ("db_port = 1", "ETL_DB_PORT", "x", ": Input should be a valid integer"),
        ("", "ETL_CA_FILE", "/nowhere", ": There is no such file"),
        ("[alerts]\nrepeat = '1h'", "ETL_ALERTS__FAILURES", "0", ": Input should be greater than or equal to 1"),
        ("", "ETL_ALERTS__FAILURS", "5", ": unknown key alerts.failurs; did you mean failures?"),
        ("[alerts]\nrepeat = '1h'", "ETL_ALERTS", '{"failures": 0}', ": alerts.failures: Input should be greater"),
        ("", "ETL_SOURCES__BIFROST__URLL", "x", ": unknown key sources.bifrost.urll; did you mean url?"),
        ("", "ETL_ALERTS__WEBHOOKS", '[{"name": "a", "urll": "x"}]', ": unknown key alerts.webhooks.1.urll; did"),
        ("", "ETL_ALERTS__WEBHOOKS", '[{"name":', ": no valid JSON: write it like"),
        ("", "ETL_SOURCES", "no JSON", ": no valid JSON: write it like"),
        ("", "ETL_RATES", '[{"currency": "EUR", "usd": 1.08, "origin": "o"}]', ": rates.1.usd: Write it in quot"),
    ],
)
def test_what_is_wrong_in_the_environment_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, toml: str, name: str, value: str, line: str
) -> None:
    monkeypatch.setenv(name, value)
    assert fault(toml).startswith(f"environment: {name}{line}")


def test_what_is_wrong_in_the_file_is_not_blamed_on_a_variable_of_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETL_ALERTS__FAILURES", "5")
    monkeypatch.setenv("ETL_SOURCES", '{"bifrost": {"page_size": 3}}')
    assert fault("[alerts]\nrepeat = 'x'").startswith("etl.toml: alerts.repeat: ")
    assert fault("[sources.bifrost]\nmax_age = 'x'").startswith("etl.toml: sources.bifrost.max_age: ")


@pytest.mark.parametrize("name", ["", " ", "a b", "a\tb", "a\nb", "a\u0007b", "x" * 64, "a\u00a0b"])
def test_a_name_that_nobody_could_type_is_refused(name: str) -> None:
    quoted = "".join(f"\\U{ord(char):08x}" for char in name)
    assert "is no name: write 1 to 63 characters" in fault(f'[sources."{quoted}"]\nkind = "bifrost"')
    assert "is no name: write 1 to 63 characters" in fault(f'[[alerts.webhooks]]\nname = "{quoted}"\nurl = "http://x"')


def test_a_line_names_the_file_that_was_asked_for(tmp_path: Path) -> None:

    (tmp_path / "other.toml").write_text("[sources.x]\nkind = 'bifrst'")
    with pytest.raises(ConfigurationError, match=r"^other.toml: sources.x.kind: unknown kind"):
        config.configured(config.load(Path("other.toml")), {})
