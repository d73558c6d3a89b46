"""`etl run` tells what is wrong and pings when all is well; whatever a receiver does, the run ends as it would."""

import json

import pytest
from sqlalchemy import Engine, text

from tests.cli.conftest import Run
from tests.conftest import free_port
from tests.extract.gateway import Act, Gateway, ok, reply

CATALOG = ok(json.dumps({"data": [{"id": "openai/m", "pricing": {"prompt": "1"}}]}).encode())
UNREAD = ok(json.dumps({"data": [{"id": "openai/m", "pricing": {"prompt": "12x"}}]}).encode())
REFUSED = reply(404)


def test_a_good_run_pings_and_tells_nothing(etl: Run, warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with Gateway(CATALOG) as gateway, Gateway(reply(200)) as desk:
        _configure(monkeypatch, gateway.url, f"{desk.url}/hook", f"{desk.url}/ping")
        assert etl("run", "bifrost").status == 0
        assert [asked.target for asked in desk.asked] == ["/ping"]
    assert _messages(warehouse) == 0


def test_a_run_that_fails_does_not_ping(etl: Run, warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert warehouse
    with Gateway(REFUSED) as gateway, Gateway(reply(200)) as desk:
        _configure(monkeypatch, gateway.url, f"{desk.url}/hook", f"{desk.url}/ping")
        for _ in range(3):
            assert etl("run", "bifrost").status == 1
        [asked] = desk.asked
    assert json.loads(asked.body)["problem"] == "failing"


def test_a_dry_run_tells_nothing(etl: Run, warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with Gateway(UNREAD) as gateway, Gateway(reply(200)) as desk:
        _configure(monkeypatch, gateway.url, f"{desk.url}/hook", f"{desk.url}/ping")
        assert etl("run", "bifrost", "--dry-run").status == 0
        assert desk.asked == []
    assert _messages(warehouse) == 0


@pytest.mark.parametrize("status", [0, 1])
@pytest.mark.parametrize(
    "act", [reply(500), reply(429, Retry_After="99"), reply(302, Location="http://elsewhere.test/")]
)
def test_a_receiver_that_fails_does_not_change_how_a_run_ends(
    etl: Run, warehouse: Engine, monkeypatch: pytest.MonkeyPatch, act: Act, status: int
) -> None:
    with Gateway(UNREAD, REFUSED) as gateway, Gateway(act) as desk:
        _configure(monkeypatch, gateway.url, f"{desk.url}/T0P-SECRET", f"{desk.url}/T0P-SECRET")
        for _ in range(status + 1):
            ended = etl("run", "bifrost", "--json")
        assert desk.asked
    assert ended.status == status
    assert len(json.loads(ended.out)) == 1
    assert _messages(warehouse) == 1
    assert "T0P-SECRET" not in ended.out + ended.err


def test_nobody_there_at_all_is_a_warning(etl: Run, warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/T0P-SECRET"
    with Gateway(UNREAD) as gateway:
        _configure(monkeypatch, gateway.url, nowhere, nowhere)
        ended = etl("run", "bifrost")
    assert ended.status == 0
    assert ended.err.count("message not delivered") == ended.err.count("the ping did not arrive") == 1
    assert "T0P-SECRET" not in ended.err
    assert _messages(warehouse) == 1


def test_a_receiver_without_a_url_starts_nothing(etl: Run, warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with Gateway(CATALOG) as gateway:
        _configure(monkeypatch, gateway.url, "no url", "")
        ended = etl("run", "bifrost")
        assert gateway.asked == []
    assert ended.status == 2
    assert len(ended.complaints) == 1
    assert _messages(warehouse) == 0


def _configure(monkeypatch: pytest.MonkeyPatch, gateway: str, hook: str, ping: str) -> None:
    """Only the gateway is pulled, so that nothing is told of what cannot be reached."""
    monkeypatch.setenv("ETL_BIFROST_URL", gateway)
    monkeypatch.setenv("ETL_WEBHOOK_URL", hook)
    monkeypatch.setenv("ETL_PING_URL", ping)


def _messages(warehouse: Engine) -> int:
    with warehouse.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM core.outbox")) or 0)
