"""What is tried again, how long for, and what is said in the end."""

import dataclasses
import socket
import time
import tracemalloc
import zlib
from datetime import timedelta
from email.utils import format_datetime

import pytest

from etl.domain.snapshot import Page
from etl.errors import AccessError, FetchError
from etl.extract.waits import retry_after
from etl.sources.base import Recourse, Refusal
from tests.extract.gateway import Act, Gateway, drip, head, ok, raw, reply, reset
from tests.extract.sources import NOW, QUICK, SECRET, Plain, failure, fetched

CATALOG = b'{"data": []}'

HURRIED = dataclasses.replace(QUICK, timeout_seconds=0.4)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_passing_trouble_is_tried_again(status: int) -> None:
    with Gateway(reply(status), reply(status), ok(CATALOG)) as gateway:
        outcome = fetched(Plain(), gateway.url)
    assert outcome.error is None
    assert [page.status for page in outcome.pages] == [200]
    assert len(gateway.asked) == 3


def test_trouble_that_does_not_pass_is_given_up_with_the_reply_as_evidence() -> None:
    with Gateway(reply(503, b"busy", X_Request_Id="42")) as gateway:
        outcome = fetched(Plain(), gateway.url)
    assert str(outcome.error) == (
        f"plain: {gateway.url}/models: HTTP 503 (5 attempts); the gateway is busy or ill: try again later"
    )
    assert len(gateway.asked) == 5
    (page,) = outcome.pages
    assert (page.status, page.body, page.headers["x-request-id"]) == (503, b"busy", "42")


@pytest.mark.parametrize("wish", ["0.3", "date"])
def test_the_wait_that_a_gateway_asks_for_is_kept(wish: str) -> None:
    date = format_datetime(NOW, usegmt=True)
    value = format_datetime(NOW + timedelta(seconds=1), usegmt=True) if wish == "date" else wish
    with Gateway(reply(429, Retry_After=value, Date=date), ok(CATALOG)) as gateway:
        start = time.monotonic()
        assert fetched(Plain(), gateway.url).error is None
    assert time.monotonic() - start >= (1 if wish == "date" else 0.3)


def test_a_wait_named_in_the_body_counts_as_well() -> None:
    class Majestic(Plain):
        def refusal(self, page: Page) -> Refusal:
            return Refusal(recourse=Recourse.RETRY, message="slow down", retry_after=page.document["wait"])

    with Gateway(reply(429, b'{"wait": 0.3}'), ok(CATALOG)) as gateway:
        start = time.monotonic()
        assert fetched(Majestic(), gateway.url).error is None
    assert time.monotonic() - start >= 0.3


def test_a_wait_that_is_too_long_gives_up_at_once() -> None:
    with Gateway(reply(429, Retry_After="3600")) as gateway:
        line = failure(Plain(), gateway.url)
    assert "HTTP 429, and the wish that we wait 3600 s; a walk waits 60 s at most: try again later" in line
    assert len(gateway.asked) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "9" * 400}, float("inf")),
        ({"retry-after": "-7"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Fri, 02 Jan 2026 03:04:15 GMT"}, 10),
        ({"retry-after": "Fri, 02 Jan 2026 03:04:15 GMT", "date": "Fri, 02 Jan 2026 03:04:10 GMT"}, 5),
        ({"retry-after": "Friday, 02-Jan-26 03:04:15 GMT"}, 10),
        ({"retry-after": "Fri, 02 Jan 2015 03:04:15 GMT"}, 0),
        ({"retry-after": "Fri, 32 Jan 2026 03:04:15 GMT"}, None),
    ],
)
def test_retry_after_is_read_in_both_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_refused_credential_is_not_tried_again_and_its_variable_is_named(status: int) -> None:
    with Gateway(reply(status)) as gateway:
        outcome = fetched(Plain(), gateway.url, secret=SECRET)
        assert isinstance(outcome.error, AccessError)
        assert str(outcome.error).endswith(f": HTTP {status}; check the credential in PLAIN_API_KEY")
        assert len(gateway.asked) == 1
        assert "give it a credential in DEFAULT_API_KEY" in failure(Plain(), gateway.url)


@pytest.mark.parametrize("status", [400, 404, 410, 501])
def test_what_a_retry_would_only_repeat_is_not_repeated(status: int) -> None:
    with Gateway(reply(status, b"<html>nothing here</html>")) as gateway:
        outcome = fetched(Plain(), gateway.url)
    assert isinstance(outcome.error, FetchError)
    assert f"/models: HTTP {status}; check url and path of the source" in str(outcome.error)
    assert len(gateway.asked) == 1


def test_nobody_listening_is_said_after_the_attempts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    line = failure(Plain(), f"http://127.0.0.1:{port}")
    assert "no connection (" in line
    assert "(5 attempts)" in line


@pytest.mark.parametrize(
    ("act", "came"),
    [
        (raw(b""), "a broken reply (Server disconnected"),
        (reset(b""), "the connection was reset"),
        (reset(head(200, {"Content-Length": "100"}) + b"{"), "the connection was reset"),
        (raw(head(200, {"Content-Length": "100"}) + b"{"), "a broken reply (peer closed connection"),
        (raw(head(200, {"Transfer-Encoding": "chunked"}) + b"5\r\n{}"), "a broken reply (peer closed connection"),
        (ok(zlib.compress(CATALOG)[:-5], Content_Encoding="deflate"), "a deflate body that ends in the middle"),
        (ok(CATALOG, Content_Encoding="gzip"), "a packed body that cannot be unpacked"),
        (ok(CATALOG, Content_Encoding="br"), "content encoding br, which was not asked for"),
    ],
)
def test_a_reply_cut_short_is_tried_again(act: Act, came: str) -> None:
    with Gateway(act, ok(CATALOG)) as gateway:
        assert fetched(Plain(), gateway.url).error is None
    with Gateway(act) as gateway:
        line = failure(Plain(), gateway.url)
    assert came in line
    assert "(5 attempts)" in line


def test_silence_is_cut_by_the_time_for_each_read() -> None:
    limits = dataclasses.replace(QUICK, read_seconds=0.1, max_attempts=2)
    with Gateway(drip(b"", seconds=0.3)) as gateway:
        assert "nothing more came within 0.1 s (2 attempts)" in failure(Plain(), gateway.url, limits=limits)


def test_headers_that_drip_are_cut_at_the_deadline() -> None:
    with Gateway(drip(b"HTTP/1.1 200 OK\r\nX-Slow: ")) as gateway:
        start = time.monotonic()
        line = failure(Plain(), gateway.url, limits=HURRIED)
    assert time.monotonic() - start < 2
    assert "no end within 0.4 s, only silence; try again later" in line


def test_a_body_that_drips_is_cut_at_the_deadline_and_kept() -> None:
    with Gateway(drip(head(200, {"Content-Length": "1000"}) + b"{")) as gateway:
        start = time.monotonic()
        outcome = fetched(Plain(), gateway.url, limits=HURRIED)
    assert time.monotonic() - start < 2
    (page,) = outcome.pages
    assert page.body.startswith(b"{xx")
    assert f"no end within 0.4 s, only {len(page.body)} bytes of page 1 (HTTP 200)" in str(outcome.error)


def test_waits_between_attempts_count_towards_the_deadline() -> None:
    with Gateway(reply(503, b"busy", Retry_After="30")) as gateway:
        start = time.monotonic()
        outcome = fetched(Plain(), gateway.url, limits=HURRIED)
    assert time.monotonic() - start < 2
    assert "4 bytes of page 1 (HTTP 503)" in str(outcome.error)
    assert [page.body for page in outcome.pages] == [b"busy"]


def test_a_bomb_is_stopped_before_it_fills_the_memory() -> None:
    packer = zlib.compressobj(9, wbits=-15)
    megabyte = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    bomb = b"\x1f\x8b\x08" + bytes(6) + b"\xff" + megabyte * 500
    limits = dataclasses.replace(QUICK, max_page_bytes=2**20)
    with Gateway(ok(bomb, Content_Encoding="gzip")) as gateway:
        tracemalloc.start()
        try:
            line = failure(Plain(), gateway.url, limits=limits)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert "more than 1,048,576 bytes in one page" in line
    assert peak < 8 * 2**20
