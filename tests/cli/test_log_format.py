"""In which form a command writes its events, and what is none."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Engine

from etl.attend import Attendant
from tests.cli.conftest import Run, named
from tests.cli.terminal import on_terminal
from tests.extract.gateway import Gateway, ok, reply
from tests.processes import environment

CATALOG = b'{"data": [{"id": "openai/m1", "pricing": {"prompt": "0.000001"}}]}'

KEY = "sk-bf-planted-9e21aa"


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Any:
    with Gateway(ok(CATALOG), reply(403, KEY.encode())) as gateway:
        monkeypatch.setenv("ETL_BIFROST_URL", gateway.url)
        monkeypatch.setenv("BIFROST_API_KEY", KEY)
        yield gateway


def _events(said: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


@pytest.mark.usefixtures("warehouse", "gateway")
def test_a_run_tells_its_steps_with_its_source_and_its_number(etl: Run) -> None:
    ended = etl("run", "bifrost")
    events = _events(ended.err)
    assert [event["event"] for event in events] == ["run began", "page came", "landed", "run ended"]
    assert {(event["source"], event["run"]) for event in events} == {("bifrost", 1)}
    last = events[-1]
    assert (last["outcome"], last["level"], last["opened"], last["bytes"]) == ("loaded", "info", 3, len(CATALOG))
    assert last["seconds"] >= 0


@pytest.mark.usefixtures("warehouse", "gateway")
def test_what_a_person_must_act_on_stays_a_line_of_its_own(etl: Run) -> None:
    etl("run", "bifrost")
    ended = etl("run", "bifrost")
    assert ended.status == 1
    [line] = ended.complaints
    assert "HTTP 403" in line
    assert _events(ended.err)[-1]["level"] == "warning"
    assert "HTTP 403" in _events(ended.err)[-1]["because"]
    assert KEY not in ended.err + ended.out


@pytest.mark.parametrize(
    "typed", [("--log-format", "json", "run", "bifrost"), ("run", "bifrost", "--log-format", "json")]
)
@pytest.mark.usefixtures("warehouse", "gateway")
def test_where_json_is_asked_for_every_line_is_an_event(etl: Run, typed: tuple[str, ...]) -> None:
    etl("run", "bifrost")
    ended = etl(*typed)
    assert ended.status == 1
    *_, progress, complaint = [json.loads(line) for line in ended.err.splitlines()]
    assert (progress["level"], progress["event"][:13]) == ("info", "[1/1] bifrost")
    assert (complaint["level"], complaint["logger"]) == ("error", "etl.cli")
    assert complaint["event"].startswith("etl: bifrost: ")
    assert KEY not in ended.err + ended.out


@pytest.mark.usefixtures("warehouse", "gateway")
def test_the_option_beats_the_environment_and_that_the_file(
    etl: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "etl.toml").write_text('log_format = "human"\n')
    assert _events(etl("run", "bifrost").err) == []
    monkeypatch.setenv("ETL_LOG_FORMAT", "json")
    assert _events(etl("run", "bifrost").err)
    assert _events(etl("--log-format", "human", "run", "bifrost").err) == []


def test_a_form_that_there_is_not_starts_nothing(etl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert etl("--log-format", "xml", "sources").status == 2
    monkeypatch.setenv("ETL_LOG_FORMAT", "xml")
    ended = etl("sources")
    assert (ended.status, len(ended.complaints)) == (2, 1)
    assert "ETL_LOG_FORMAT" in ended.err


def test_on_a_terminal_a_run_shows_its_display_and_no_events(warehouse_url: URL, tmp_path: Path) -> None:
    with Gateway(reply(503, Retry_After="0.01"), ok(CATALOG)) as gateway:
        values = {"DATABASE_URL": named(warehouse_url), "ETL_BIFROST_URL": gateway.url}
        seen = on_terminal(tmp_path, environment(tmp_path, **values), "run", "bifrost")
    assert seen.status == 0
    assert "[warning] asking again" in seen.text
    assert "run began" not in seen.text
    assert '{"' not in seen.text


def test_a_mistake_of_ours_is_an_event_and_one_line(
    etl: Run, warehouse: Engine, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(*_: object, **__: object) -> None:
        raise KeyError(KEY)

    assert warehouse.url.database
    assert gateway.asked == []
    monkeypatch.setattr(Attendant, "run", fall)
    ended = etl("run", "bifrost")
    assert ended.status == 1
    assert ended.complaints == ["etl: KeyError: '[secret]'; please report this"]
    [event] = _events(ended.err)
    assert (event["event"], event["level"], event["raised"]) == ("crashed", "critical", "KeyError")
    assert KEY not in ended.err
