"""``etl doctor`` with real gateways that are well, or broken in every way: lines, and no traceback."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.cli.conftest import Run
from tests.cli.examining import date, examine
from tests.conftest import free_port
from tests.extract.gateway import Gateway, ok, reply
from tests.mart.test_source_health import FULL, S, ago, configure, shown, take

File = Callable[..., None]

KEY = "planted-credential-4711"

CHECKS = [
    *("python", "dependencies", "configuration", "environment", "webhooks", "disk", "database", "database clock"),
    *("role", "size", "writable", "schema", "objects", "last run", "daemon", "bodies", "health", "clock"),
]


def test_all_is_well(
    etl: Run, warehouse: Engine, file: File, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIFROST_API_KEY", KEY)
    file(gateway.url)
    configure(warehouse, S)
    take(warehouse, shown(ago(minutes=1), FULL))
    found, ended = examine(etl, 0)
    assert set(found) == {*CHECKS, "source s", "credential s"}
    assert {name for name, row in found.items() if row["status"] not in ("ok", "skipped")} == set()
    assert found["credential s"]["found"] == "BIFROST_API_KEY is set"
    assert found["source s"]["found"].startswith("HTTP 200 after 0.")
    assert KEY not in ended.out + ended.err
    assert len(gateway.asked) == 1


def test_people_get_a_line_each(etl: Run, warehouse: Engine, file: File, gateway: Gateway) -> None:
    del warehouse
    file(gateway.url)
    ended = etl("doctor")
    assert (ended.status, ended.out.splitlines()[0].split()) == (0, ["status", "check", "found", "remedy"])
    assert len(ended.out.splitlines()) == 1 + len(CHECKS) + 2


@pytest.mark.parametrize("broken", ["[sources.s]\nkindd = 'bifrost'", "this is no TOML", "doubt_share = 7"])
def test_a_wrong_configuration_is_a_line_of_it(etl: Run, folder: Path, broken: str) -> None:
    (folder / "etl.toml").write_text(broken)
    found, _ = examine(etl, 2)
    assert found["configuration"]["status"] == "failed"
    assert "etl.toml" in found["configuration"]["found"]
    assert found["database"]["status"] == found["sources"]["status"] == "skipped"
    assert found["python"]["status"] == "ok"


def test_a_file_that_is_not_there_is_a_line_of_it(etl: Run) -> None:
    ended = etl("--config", "nowhere.toml", "doctor")
    assert (ended.status, "nowhere.toml: cannot be read" in ended.out) == (2, True)


@pytest.mark.parametrize(
    ("ahead", "status", "exit_status"),
    [(20.0, "ok", 0), (90.0, "warning", 0), (-90.0, "warning", 0), (3600.0, "failed", 1)],
)
def test_a_clock_that_no_gateway_shares_is_told(
    etl: Run, warehouse: Engine, file: File, ahead: float, status: str, exit_status: int
) -> None:
    del warehouse
    with Gateway(ok(b"{}", Date=date(seconds=ahead))) as one:
        file(one.url)
        found, _ = examine(etl, exit_status)
    assert found["clock"]["status"] == status
    assert (found["clock"]["remedy"] is None) == (status == "ok")


def test_one_gateway_with_a_wrong_clock_does_not_accuse_ours(
    etl: Run, warehouse: Engine, file: File, gateway: Gateway
) -> None:
    del warehouse
    with Gateway(ok(b"{}", Date=date(hours=5))) as wrong:
        file(gateway.url, t=wrong.url)
        found, _ = examine(etl, 0)
    assert found["clock"]["status"] == "ok"
    assert found["clock"]["found"].startswith("agrees with s")


def test_a_source_that_refuses_the_credential_says_which_variable(
    etl: Run, warehouse: Engine, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    del warehouse
    monkeypatch.setenv("BIFROST_API_KEY", KEY)
    with Gateway(reply(401, f"who is {KEY}?".encode())) as closed:
        file(closed.url)
        found, ended = examine(etl, 1)
    assert (found["source s"]["status"], found["source s"]["remedy"]) == (
        "failed",
        "check the credential in BIFROST_API_KEY",
    )
    assert KEY not in ended.out + ended.err


def test_a_source_that_is_not_there_says_so_and_the_others_are_asked(
    etl: Run, warehouse: Engine, file: File, gateway: Gateway
) -> None:
    del warehouse
    file(gateway.url, t=f"http://127.0.0.1:{free_port()}")
    found, _ = examine(etl, 1)
    assert (found["source s"]["status"], found["source t"]["status"]) == ("ok", "failed")
    assert found["source t"]["remedy"] == "check the url, or try again later"


def test_a_credential_that_is_needed_and_missing_is_a_failure(
    etl: Run, warehouse: Engine, file: File, gateway: Gateway
) -> None:
    del warehouse
    file(gateway.url, f'sources.majestix = {{ url = "{gateway.url}", enabled = true }}')
    found, _ = examine(etl, 1)
    assert found["credential majestix"]["status"] == "failed"
    assert "MAJESTIX_API_KEY" in str(found["credential majestix"])


def test_variables_that_nothing_reads_are_named_with_what_was_meant(
    etl: Run, warehouse: Engine, file: File, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    del warehouse
    monkeypatch.setenv("ETL_HTTP_ADRESS", "planted-value")
    monkeypatch.setenv("MAJESTIX_APIKEY", "planted-value")
    monkeypatch.setenv("MAJESTIX_API_KEY_FILE", "")
    file(gateway.url)
    found, ended = examine(etl, 0)
    assert found["environment"]["status"] == "warning"
    assert "did you mean ETL_HTTP_ADDRESS?" in found["environment"]["found"]
    assert "MAJESTIX_APIKEY is read by nothing: did you mean MAJESTIX_API_KEY?" in found["environment"]["found"]
    assert "planted-value" not in ended.out


def test_webhooks_are_named_and_never_shown(
    etl: Run, warehouse: Engine, file: File, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    del warehouse
    monkeypatch.setenv("HOOK", "https://hooks.test/planted-path")
    file(gateway.url, '[[alerts.webhooks]]\nname = "us"\nurl_env = "HOOK"')
    found, ended = examine(etl, 0)
    assert (found["webhooks"]["status"], found["webhooks"]["found"]) == ("ok", "us (json)")
    assert "planted-path" not in ended.out
    monkeypatch.delenv("HOOK")
    ended = etl("doctor")
    assert (ended.status, "HOOK is not set" in ended.out) == (2, True)


def test_what_is_secret_in_a_url_is_not_shown(
    etl: Run, warehouse: Engine, file: File, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    del warehouse
    file(gateway.url)
    secret = gateway.url.replace("//", "//me:planted-password@") + "?token=planted-token"
    monkeypatch.setenv("ETL_S_URL", secret)
    found, ended = examine(etl, 0)
    assert found["source s"]["found"].endswith(f"{gateway.url}/v1/models")
    assert "planted" not in ended.out + ended.err
    monkeypatch.delenv("ETL_S_URL")
    file(secret)
    assert "planted" not in str(etl("doctor"))


@pytest.mark.parametrize(("name", "status"), [("reports", "ok"), ("etl.toml/reports", "failed")])
def test_a_report_needs_a_folder_that_can_be_written(
    etl: Run, warehouse: Engine, file: File, gateway: Gateway, name: str, status: str
) -> None:
    del warehouse
    file(gateway.url, f'[report]\nfolder = "{name}"\n')
    found, _ = examine(etl, 0 if status == "ok" else 1)
    assert (found["report"]["status"], found["report"]["remedy"]) == (
        status,
        None if status == "ok" else "set [report] folder to a folder",
    )
