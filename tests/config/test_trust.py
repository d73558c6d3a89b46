"""What is not ours is not obeyed, and a credential does not travel where others read along."""

import os
import tempfile
from pathlib import Path

import pytest

from etl import config
from etl.errors import ConfigurationError
from etl.fetch import secret_of
from tests.config.writing import fault, settings, sources

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file away")


@needs_root
def test_a_configuration_of_another_user_is_refused_unless_it_is_named(tmp_path: Path) -> None:
    settings("doubt_minimum = 7")
    os.chown(tmp_path / "etl.toml", 12345, 12345)
    with pytest.raises(ConfigurationError) as raised:
        config.load(None)
    assert str(raised.value) == (
        "etl.toml: belongs to user 12345: `chown` it to user 0 if you trust it, "
        "or name the file with --config if it is to be trusted"
    )
    assert config.load(Path("etl.toml")).doubt_minimum == 7


@pytest.mark.parametrize("is_named", [False, True])
def test_a_configuration_that_every_user_may_write_is_refused_even_if_it_is_named(
    tmp_path: Path, *, is_named: bool
) -> None:
    settings("doubt_minimum = 7")
    (tmp_path / "etl.toml").chmod(0o666)
    with pytest.raises(ConfigurationError, match="can be written by every user: `chmod o-w etl.toml`"):
        config.load(Path("etl.toml") if is_named else None)


@needs_root
def test_a_file_that_root_mounted_into_its_own_folder_is_obeyed_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose mounts etl.toml with the owner that it has on the host into /etc/etl of the container."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        monkeypatch.chdir(folder)
        settings("doubt_minimum = 7")
        os.chown("etl.toml", 12345, 12345)
        os.seteuid(10001)
        try:
            assert config.load(None).doubt_minimum == 7
        finally:
            os.seteuid(0)
            os.chdir("/")


def test_a_secret_in_a_file_that_every_user_may_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("planted")
    (tmp_path / "key").chmod(0o606)
    said = fault(BIFROST_API_KEY_FILE=str(tmp_path / "key"))
    assert said.startswith("environment: BIFROST_API_KEY_FILE: ")
    assert "can be written by every user" in said
    assert "planted" not in said


@pytest.mark.parametrize(
    ("url", "is_private"),
    [
        ("http://gateway.example.com", False),
        ("http://10.0.0.7:8080", False),
        ("http://[fe80::1]/x", False),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1:8080", True),
        ("http://127.9.9.9", True),
        ("http://localhost:8080", True),
        ("http://bifrost.localhost", True),
        ("http://[::1]:8080", True),
        ("https://gateway.example.com", True),
    ],
)
def test_a_credential_travels_over_plain_http_only_on_this_machine(url: str, *, is_private: bool) -> None:
    found = sources(f"[sources.bifrost]\nurl = '{url}'", BIFROST_API_KEY="planted")["bifrost"]
    if is_private:
        assert secret_of(found)
        return
    with pytest.raises(ConfigurationError) as raised:
        secret_of(found)
    assert str(raised.value) == (
        "bifrost: its credential would travel over plain http: write https://, or set allow_http = true in "
        "[sources.bifrost] if that network is trusted"
    )


@pytest.mark.parametrize("url", ["http://me:planted@gateway", "http://planted@gateway", "http://gateway/?key=planted"])
def test_a_credential_in_a_url_is_one_as_well(url: str) -> None:
    with pytest.raises(ConfigurationError, match="its credential would travel over plain http"):
        secret_of(sources(ETL_BIFROST_URL=url)["bifrost"])


def test_what_is_allowed_or_has_no_credential_may_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    named = "[sources.bifrost]\nurl = 'http://gateway'\n"
    assert secret_of(sources(named)["bifrost"]) is None
    assert secret_of(sources(named + "allow_http = true", BIFROST_API_KEY="planted")["bifrost"])
    monkeypatch.setenv("ETL_SOURCES__BIFROST__ALLOW_HTTP", "true")
    assert secret_of(sources(named, BIFROST_API_KEY="planted")["bifrost"])


@pytest.mark.parametrize("variable", ["ETL_WEBHOOK_URL", "ETL_SLACK_URL", "ETL_PING_URL"])
def test_a_url_that_is_a_secret_is_called_over_plain_http_only_on_this_machine(variable: str) -> None:
    exposed = {variable: "http://alerts.example.com/?token=planted"}
    assert fault(**exposed) == (
        f"environment: {variable}: that url is a secret and would travel over plain http: write https://, or set "
        "allow_http = true in [alerts] if that network is trusted"
    )
    sources("[alerts]\nallow_http = true", **exposed)
    sources(**{variable: "http://127.0.0.1:9/?token=planted"})
    sources(**{variable: "http://alerts.example.com/prices"})
