"""A crash at any moment neither loses a message nor invents one, and of several who tell each thing is told once."""

import os
import signal
import socket
import threading
import time
from dataclasses import replace
from queue import SimpleQueue

from sqlalchemy import URL

from tests.extract.gateway import Asked, Gateway, reply
from tests.faults.processes import ended, start
from tests.notify.processes import tell
from tests.notify.stage import FULL, Stage, at_once, hook, kinds_said, said

TAKEN = reply(204)


def _undelivered(stage: Stage) -> list[str]:
    return [str(row.message_id) for row in stage.rows("SELECT message_id FROM core.outbox WHERE delivered_at IS NULL")]


def _delivered_by_another(stage: Stage, messages: int) -> None:
    """Deliver what is left; the server may need a moment to notice that who had claimed it is dead."""
    until = time.monotonic() + 20
    while _undelivered(stage) and time.monotonic() < until:
        stage.tell()
    [row] = stage.rows("SELECT count(*) AS all, count(delivered_at) AS delivered FROM core.outbox")
    assert tuple(row) == (messages, messages)


def test_killed_between_queueing_and_delivery_the_next_delivers(
    stage: Stage, desk: Gateway, warehouse_url: URL
) -> None:
    stage.fail(3)
    url = warehouse_url.render_as_string(hide_password=False)
    assert ended(start(tell, url, stage.receivers[0].url, stage.now, 1)) == -signal.SIGKILL
    assert desk.asked == []
    [message_id] = _undelivered(stage)
    _delivered_by_another(stage, 1)
    [message] = said(desk)
    assert (message["id"], message["kind"], message["problem"]) == (message_id, "opened", "failing")


def test_killed_between_the_post_and_the_commit_the_next_delivers_under_the_same_id(
    stage: Stage, warehouse_url: URL
) -> None:
    started: SimpleQueue[int] = SimpleQueue()

    def kill(connection: socket.socket, asked: Asked) -> None:
        os.kill(started.get(timeout=10), signal.SIGKILL)
        TAKEN(connection, asked)

    with Gateway(kill, TAKEN) as gateway:
        stage.fail(3)
        stage.receivers = [hook(gateway)]
        url = warehouse_url.render_as_string(hide_password=False)
        process = start(tell, url, hook(gateway).url, stage.now, 0)
        started.put(process.pid or 0)
        assert ended(process) == -signal.SIGKILL
        assert len(_undelivered(stage)) == 1
        _delivered_by_another(stage, 1)
        first, second = said(gateway)
        assert first == second
        assert {asked.headers["idempotency-key"] for asked in gateway.asked} == {first["id"]}


def test_several_who_tell_at_once_tell_each_thing_once(stage: Stage, desk: Gateway) -> None:
    stage.fail(3)
    at_once(stage)
    assert kinds_said(desk) == [("opened", "failing")]
    stage.show({**FULL, "openai/m0": {"prompt": "12x"}})
    at_once(stage)
    # Two messages may be on their way at once.
    assert sorted(kinds_said(desk)[1:]) == [("opened", "quarantined"), ("resolved", "failing")]
    stage.later(minutes=1)
    stage.show({**FULL, "openai/m0": {"prompt": "12x"}, "openai/m1": {"prompt": "12x"}})
    at_once(stage)
    assert kinds_said(desk)[3:] == [("worsened", "quarantined")]
    stage.later(hours=2)
    stage.show({**FULL, "openai/m0": {"prompt": "12x"}})
    stage.later(hours=23)
    stage.show({**FULL, "openai/m0": {"prompt": "12x"}}, at=stage.now)
    at_once(stage)
    assert kinds_said(desk)[4:] == [("repeated", "quarantined")]


def test_who_delivers_does_not_keep_others_waiting(stage: Stage) -> None:
    """While one waits for a slow receiver, another passes over what it has claimed."""
    posting, goes_on, answered = threading.Event(), threading.Event(), threading.Event()

    def slow(connection: socket.socket, asked: Asked) -> None:
        posting.set()
        goes_on.wait(5)
        answered.set()
        TAKEN(connection, asked)

    with Gateway(slow) as gateway:
        stage.receivers = [hook(gateway)]
        stage.fail(3)
        first = threading.Thread(target=stage.tell)
        first.start()
        assert posting.wait(5)
        replace(stage).tell()
        assert not answered.is_set()
        assert len(gateway.asked) == 1
        goes_on.set()
        first.join()
    assert _undelivered(stage) == []
