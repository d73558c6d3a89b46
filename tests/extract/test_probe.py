"""A gateway is asked once, briefly, and told apart: it answers, refuses, is ill, or is not there."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from etl.extract.probe import Probe, probe
from etl.extract.waits import server_time
from tests.conftest import free_port
from tests.extract.gateway import Gateway, drip, head, ok, reply
from tests.extract.sources import KEY, NOW, SECRET, Plain

DATE = "Fri, 02 Jan 2026 03:04:05 GMT"


def probed(url: str, seconds: float = 5) -> Probe:
    return probe(Plain(), url=url, clock=lambda: NOW, secret=SECRET, seconds=seconds)


def test_the_status_and_the_servers_time_are_told() -> None:
    with Gateway(ok(b"{}", Date=DATE)) as gateway:
        found = probed(gateway.url)
    assert (found.status, found.error, found.url) == (200, None, f"{gateway.url}/models")
    assert found.server_time == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert found.answered_at == NOW
    assert gateway.asked[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_long_body_is_not_read() -> None:
    with Gateway(drip(head(200, {"Content-Length": "1000000"}), seconds=0.2)) as gateway:
        began = time.monotonic()
        assert probed(gateway.url).status == 200
        assert time.monotonic() - began < 1


@pytest.mark.parametrize(("status", "said"), [(401, "check the credential"), (503, "busy or ill"), (404, "check url")])
def test_a_refusal_is_told_at_once_with_what_to_do_and_still_has_its_date(status: int, said: str) -> None:
    with Gateway(reply(status, f"no {KEY}".encode(), Date=DATE)) as gateway:
        found = probed(gateway.url)
    assert said in str(found.error)
    assert KEY not in str(found.error)
    assert (found.status, found.server_time is not None, len(gateway.asked)) == (status, True, 1)


def test_a_redirect_within_the_origin_is_followed() -> None:
    with Gateway(reply(301, Location="/models/"), ok(b"{}")) as gateway:
        assert (probed(gateway.url).status, len(gateway.asked)) == (200, 2)


def test_who_is_not_there_is_told_after_one_attempt() -> None:
    found = probed(f"http://127.0.0.1:{free_port()}")
    assert (found.status, found.server_time) == (None, None)
    assert "no connection" in str(found.error)


def test_silence_is_not_waited_for() -> None:
    with Gateway(drip(b"", tail=b"x" * 20, seconds=0.1)) as gateway:
        began = time.monotonic()
        found = probed(gateway.url, seconds=0.5)
        assert time.monotonic() - began < 1.5
    assert "within 0.5 s" in str(found.error)


def test_what_a_cache_kept_is_as_much_older_as_it_says() -> None:
    then = server_time({"date": DATE})
    assert then is not None
    assert server_time({"date": DATE, "age": "90"}) == then + timedelta(seconds=90)
    assert server_time({"date": DATE, "age": "old"}) == then
    assert server_time({"date": "yesterday"}) is server_time({}) is None
