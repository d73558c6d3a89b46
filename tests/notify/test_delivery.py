"""What a receiver may do to us: be down, slow, busy, broken or elsewhere. The message stays until it is taken."""

import json
import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from etl.config import Receiver
from etl.load import outbox
from etl.notify.post import Door
from tests.conftest import free_port
from tests.extract.gateway import Act, Gateway, drip, head, raw, reply, reset
from tests.notify.stage import NOW, Stage, hook, said

MOVED = "/elsewhere/T0P-SECRET"


def _state(stage: Stage) -> tuple[int, str | None, timedelta, bool]:
    """Attempts, the last error, how long until the next attempt, and whether it is delivered."""
    [row] = stage.rows("SELECT attempts, last_error, next_attempt_at, delivered_at FROM core.outbox")
    return row.attempts, row.last_error, row.next_attempt_at - stage.now, row.delivered_at is not None


def test_a_message_is_json_with_its_id_as_the_idempotency_key(stage: Stage, desk: Gateway) -> None:
    stage.fail(3)
    stage.tell()
    [asked] = desk.asked
    assert asked.target == "/hook/T0P-SECRET"
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["user-agent"].startswith("llm-price-warehouse/")
    assert asked.headers["idempotency-key"] == json.loads(asked.body)["id"]
    assert _state(stage)[3]


def test_slack_is_given_the_text_with_nothing_in_it_that_it_would_obey(stage: Stage, desk: Gateway) -> None:
    stage.receivers = [Receiver("slack", f"{desk.url}/services/T/B/X", "slack")]
    stage.show({"openai/<!channel> & co": {"prompt": "0.1", "per_<smile>": "1"}})
    stage.tell()
    [message] = said(desk)
    assert message.keys() == {"text"}
    assert "per_&lt;smile&gt;" in message["text"]
    assert "<" not in message["text"]


def test_each_receiver_gets_its_own_message(stage: Stage, desk: Gateway) -> None:
    with Gateway(reply(200)) as other:
        stage.receivers = [hook(desk), hook(other, "other")]
        stage.fail(3)
        stage.tell()
        [first], [second] = said(desk), said(other)
    assert first["id"] != second["id"]
    assert {**first, "id": ""} == {**second, "id": ""}


@pytest.mark.parametrize(
    ("act", "error", "wait"),
    [
        (reply(500, b"boom"), "HTTP 500", 30),
        (reply(404), "HTTP 404", 30),
        (reply(429, Retry_After="120"), "HTTP 429", 120),
        (reply(503, Retry_After="1"), "HTTP 503", 30),
        (reply(307, Location=MOVED), "HTTP 307, a redirect, which is not followed", 30),
        (reply(302, Location="http://127.0.0.1:1/T0P-SECRET"), "HTTP 302, a redirect, which is not followed", 30),
        (reset(b"HTTP/1.1 2"), "the connection broke", 30),
        (raw(b""), "the connection broke", 30),
        (raw(b"I speak no HTTP\r\n\r\n"), "the connection broke", 30),
    ],
)
def test_what_is_not_taken_waits_and_is_taken_later(stage: Stage, act: Act, error: str, wait: int) -> None:
    with Gateway(act, reply(200)) as gateway:
        stage.receivers = [hook(gateway)]
        stage.fail(3)
        stage.tell()
        assert _state(stage) == (1, error, timedelta(seconds=wait), False)
        stage.later(seconds=wait - 1)
        stage.tell()
        assert len(gateway.asked) == 1
        _due(stage)
        stage.tell()
        assert _state(stage)[3]
        assert len({asked.headers["idempotency-key"] for asked in gateway.asked}) == 1


def test_no_wish_to_wait_is_honoured_beyond_a_week(stage: Stage) -> None:
    with Gateway(reply(429, Retry_After="9" * 30)) as gateway:
        stage.receivers = [hook(gateway)]
        stage.fail(3)
        stage.tell()
    assert _state(stage) == (1, "HTTP 429", timedelta(days=7), False)


def _due(stage: Stage) -> None:
    """Pass the wait, but not the week after which a message is given up."""
    with stage.engine.begin() as connection:
        connection.execute(text("UPDATE core.outbox SET next_attempt_at = created_at"))


def test_a_body_that_never_ends_does_not_matter(stage: Stage) -> None:
    with Gateway(drip(head(200, {"Content-Length": "1000"}))) as gateway:
        stage.receivers = [hook(gateway)]
        stage.fail(3)
        stage.tell()
    assert _state(stage)[3]


@pytest.mark.parametrize("act", [drip(b"", b"HTTP/1.1 200 OK\r\n" * 50), lambda *_: threading.Event().wait(1)])
def test_an_answer_that_does_not_come_in_time_is_not_waited_for(act: Act) -> None:
    with Gateway(act) as gateway:
        answer = Door(None, lambda: NOW, seconds=0.3).post(gateway.url, b"{}", "id")
    assert answer.error == "no answer within 0.3 s"


def test_a_receiver_that_is_down_is_tried_ever_more_rarely_for_a_week(stage: Stage) -> None:
    stage.receivers = [Receiver("desk", f"http://127.0.0.1:{free_port()}/", "json")]
    stage.fail(3)
    waits = []
    for _ in range(10):
        stage.tell()
        attempts, error, wait, _ = _state(stage)
        assert error == "no connection"
        waits.append(wait.total_seconds())
        stage.now += wait
        assert attempts == len(waits)
        if attempts == 9:
            break
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    stage.configure(enabled=False)
    stage.now += outbox.LIFE
    stage.tell()
    [row] = stage.rows("SELECT given_up_at, attempts, body->>'problem' AS problem FROM core.outbox")
    assert tuple(row) == (stage.now, 9, "failing")


def test_who_does_not_take_one_message_is_not_asked_for_the_next_in_this_round(stage: Stage, desk: Gateway) -> None:
    with Gateway(reply(500)) as broken:
        stage.receivers = [hook(broken, "broken"), hook(desk)]
        stage.later(hours=4)
        stage.fail(3)
        stage.tell()
        assert (len(broken.asked), len(desk.asked)) == (1, 2)


def test_a_message_for_a_receiver_that_is_configured_no_more_waits_and_is_given_up(stage: Stage) -> None:
    stage.receivers = [Receiver("gone", f"http://127.0.0.1:{free_port()}/", "json")]
    stage.fail(3)
    stage.tell()
    stage.receivers = []
    stage.later(days=7, minutes=2)
    stage.tell()
    [row] = stage.rows("SELECT given_up_at FROM core.outbox")
    assert row.given_up_at == stage.now
