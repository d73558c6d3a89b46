"""The urls of receivers are secrets: they are in no log, no table, no exception and nothing that is printed."""

import logging
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest
import structlog
from sqlalchemy import URL

from etl.config import Receiver
from etl.database.engine import open_engine
from tests.extract.gateway import Gateway, reply, reset
from tests.notify.stage import Stage, hook

SECRET = "T0P-SECRET"


def _told(stage: Stage, url: str) -> list[MutableMapping[str, Any]]:
    """What is logged when a receiver and a ping at this url are told, and then told again."""
    stage.receivers = [Receiver("desk", url, "json")]
    stage.ping_url = url
    stage.fail(3)
    with structlog.testing.capture_logs() as logged:
        stage.tell()
        stage.notifier.ping()
    return logged


@pytest.mark.parametrize(
    "url",
    [
        f"http://127.0.0.1:1/{SECRET}",
        f"http://me:{SECRET}@127.0.0.1:1/",
        f"http://{SECRET}.invalid/",
        f"http://127.0.0.1:1\x00/{SECRET}",
        f"ftp://127.0.0.1/{SECRET}",
        f"http://[{SECRET}",
        f"http://127.0.0.1:port/{SECRET}",
        f"http://{SECRET * 20}.test/",
        f"//{SECRET}",
        SECRET,
    ],
)
def test_a_url_that_cannot_be_asked_is_never_repeated(stage: Stage, url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logged = _told(stage, url)
    assert [line["event"] for line in logged] == ["message not delivered", "the ping did not arrive"]
    _is_nowhere(stage, f"{logged} {caplog.text}")


@pytest.mark.parametrize("act", [reply(200), reply(500), reply(307, Location=f"/{SECRET}"), reset(b"HTTP/1.1")])
def test_a_url_that_is_asked_is_in_no_log_and_no_table(
    stage: Stage, act: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with Gateway(act) as gateway:
        logged = _told(stage, hook(gateway).url)
        assert gateway.asked
    _is_nowhere(stage, f"{logged} {caplog.text}")


def _is_nowhere(stage: Stage, said: str) -> None:
    tables = [stage.rows(f"SELECT * FROM core.{table}") for table in ("alert", "outbox", "price_watch")]
    assert tables[1]
    for text in (said, repr(stage.notifier), repr(stage.receivers), str(tables)):
        assert SECRET.lower() not in text.lower()


def test_a_database_that_is_away_is_a_warning_each_and_raises_nothing(stage: Stage, warehouse_url: URL) -> None:
    gone = Stage(open_engine(warehouse_url.set(database="nowhere")), stage.receivers)
    with structlog.testing.capture_logs() as logged:
        gone.tell()
        assert not gone.notifier.is_well()
    assert [line["event"] for line in logged] == [
        "alerts are not evaluated",
        "messages are not delivered",
        "health is not known",
    ]
    assert all('"nowhere" does not exist' in str(line["because"]) for line in logged)
