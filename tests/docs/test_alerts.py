"""What docs/alerts.md shows is what is said, and what it tells to configure is accepted."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from etl import config
from etl.config import AlertSettings
from etl.domain import jsontext
from etl.load import changes, derive, outbox
from etl.load.alerts import Problem
from etl.notify import messages
from etl.notify.telling import MOST
from tests.docs.markdown import ROOT, Block, blocks

DOCUMENT = ROOT / "docs" / "alerts.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FOUND = Problem(
    source="bifrost",
    problem="failing",
    count=3,
    example="bifrost: https://gateway.example/v1/models: HTTP 502; try again later",
)
ALERT, SLACK, CHANGE = (json.loads(block.code, parse_float=Decimal) for block in blocks(DOCUMENT, "json"))


def test_the_alert_is_said_as_it_is_shown() -> None:
    said = messages.alert("opened", FOUND, since=NOON, now=NOON)
    assert {"id": ALERT["id"], **said} == ALERT


def test_the_recovery_is_said_to_slack_as_it_is_shown() -> None:
    said = messages.recovery(FOUND, since=NOON - timedelta(hours=3, minutes=20, seconds=5), now=NOON)
    assert json.loads(messages.slack(said["text"])) == SLACK


def test_the_change_of_a_price_is_said_as_it_is_shown() -> None:
    [fact] = CHANGE["changes"]
    moments = {name: datetime.fromisoformat(fact[name]) for name in ("changed_at", "not_before", "known_at")}
    said = messages.price_change(
        CHANGE["watch"], [fact | moments], count=1, cursors=(1041, 1042), now=NOON + timedelta(seconds=30)
    )
    assert json.loads(jsontext.encode({"id": CHANGE["id"], **said}), parse_float=Decimal) == CHANGE


def test_the_facts_of_a_change_are_those_of_the_feed(demo: Engine) -> None:
    with demo.connect() as connection:
        row: dict[str, Any] = next(changes.of_prices(connection, after=0, upto=derive.cursor(connection)))
    assert list(row) == list(CHANGE["changes"][0])


@pytest.mark.parametrize("block", blocks(DOCUMENT, "toml"))
def test_what_is_to_be_configured_is_accepted(tmp_path: Path, block: Block) -> None:
    file = tmp_path / "etl.toml"
    file.write_text(block.code, encoding="utf-8")
    settings = config.load(file)
    environ = dict.fromkeys(re.findall(r'_env = "(\w+)"', block.code), "https://desk.example/hook")
    known = {receiver.name for receiver in config.receivers(settings, environ)}
    assert {name for watch in settings.alerts.price_changes for name in watch.webhooks} <= known
    assert (config.ping_url(settings, environ) is not None) == ("ping_env" in block.code)


def test_the_numbers_in_the_text_are_those_of_the_code() -> None:
    alerts = AlertSettings()
    assert f"(default {alerts.failures})" in TEXT
    assert f"(default {alerts.repeat.total_seconds() / 3600:g} h)" in TEXT
    assert f"after {outbox.BACKOFF.total_seconds():g} s" in TEXT
    assert (timedelta(hours=1), timedelta(days=7)) == (outbox.LONGEST_BACKOFF, outbox.LIFE)
    assert f"the first {MOST} with" in TEXT


def test_the_query_over_the_outbox_runs(demo: Engine) -> None:
    [block] = blocks(DOCUMENT, "sql")
    with demo.connect() as connection:
        assert connection.execute(text(block.code)).all() == []
