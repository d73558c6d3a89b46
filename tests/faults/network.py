"""Faults of the network, each over loopback: what a gateway does, and by which words its one line can be known."""

import json
import socket
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import repeat

from tests.extract.gateway import Act, Asked, drip, head, ok, raw, reply, reset

CATALOG = b'{"data": [{"id": "openai/m1", "pricing": {"prompt": "0.000001"}}]}'

MEGABYTE = 2**20

SECONDS = 2

ENOUGH = 20
"""Seconds for what has to come whole, because its weight is what counts."""

SILENCE = drip(b"", seconds=0.5)

HANGING_RESOLVER = """
import socket, time
asked = socket.getaddrinfo
def getaddrinfo(host, *more, **named):
    if "invalid" in str(host):
        time.sleep(60)
    return asked(host, *more, **named)
socket.getaddrinfo = getaddrinfo
"""
"""A resolver that does not answer, in the place of the machine's: no test may change the latter."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault. ``act`` is played by a gateway, whose url is the source's unless ``url`` is.

    ``{}`` in ``values`` of the environment stands for the url of the gateway; ``startup`` is code that the process
    runs at its beginning; with ``is_tls`` the gateway has a certificate that nobody vouches for. ``seconds`` is what
    the source is given for its whole walk.
    """

    name: str
    said: str
    act: Act = SILENCE
    url: str = "{}"
    values: dict[str, str] = field(default_factory=dict)
    startup: str = ""
    is_tls: bool = False
    seconds: int = SECONDS


def endless(start: bytes, parts: Callable[[], Iterator[bytes]]) -> Act:
    """Some bytes and then more of them, as fast as they are taken."""

    def act(connection: socket.socket, _: Asked) -> None:
        connection.sendall(start)
        for part in parts():
            connection.sendall(part)

    return act


def bomb() -> Iterator[bytes]:
    """A gzip stream that never ends, every kilobyte of which unpacks to a megabyte."""
    packer = zlib.compressobj(9, wbits=-15)
    megabyte = packer.compress(bytes(MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    yield b"\x1f\x8b\x08" + bytes(6) + b"\xff"
    yield from repeat(megabyte)


def members() -> Iterator[bytes]:
    """Small gzip members without end."""
    packer = zlib.compressobj(9, wbits=31)
    return repeat((packer.compress(b" " * 1000) + packer.flush()) * 1000)


def pages(size: int, *, seconds: float = 0, filling: bytes = b"") -> Act:
    """Pages of so many bytes, each of which names a next one; with ``seconds`` each takes that long, byte by byte."""
    numbers = iter(range(1_000_000))

    def act(connection: socket.socket, asked: Asked) -> None:
        number = next(numbers)
        model = {"id": f"openai/m{number}", "pricing": {"prompt": "0.000001"}}
        body = json.dumps({"data": [model], "next_page_token": str(number)}).encode()
        more = b'"more": [' + filling * ((size - len(body)) // len(filling)) + b"0], " if filling else b""
        body = (b"{" + more + body[1:]).ljust(size)
        if seconds:
            drip(head(200, {"Content-Length": str(len(body))}), body, seconds / len(body))(connection, asked)
        else:
            ok(body)(connection, asked)

    return act


def values(one: bytes) -> bytes:
    """A catalog just below the limit that is one small value after the other: most memory for its bytes."""
    return b'{"data": [' + one * (63 * MEGABYTE // len(one)) + b"0]}"


CHUNKED = head(200, {"Transfer-Encoding": "chunked"})

OVERDUE = r"no end within 2 s"

FAULTS = (
    Fault(name="reset", said=rf"reset|{OVERDUE}", act=reset(head(200, {"Content-Length": "100"}) + b"{")),
    Fault(name="reset at once", said=rf"reset|{OVERDUE}", act=reset(b"")),
    Fault(name="closed at once", said=rf"broken reply|{OVERDUE}", act=raw(b"")),
    Fault(name="length too long", said=OVERDUE, act=ok(CATALOG, Content_Length="1000")),
    Fault(name="length too short", said="sent no JSON", act=ok(CATALOG, Content_Length="9")),
    Fault(name="lengths that disagree", said=OVERDUE, act=raw(head(200, {"Content-Length": "5, 6"}) + CATALOG)),
    Fault(name="headers that drip", said=OVERDUE, act=drip(b"HTTP/1.1 200 OK\r\nX-Slow: ")),
    Fault(name="body that drips", said=OVERDUE, act=drip(head(200, {"Content-Length": "1000"}) + b"{")),
    Fault(name="pages that drip", said=f"{OVERDUE}, only [1-9]", act=pages(100, seconds=0.2)),
    Fault(name="accepted and silent", said=f"{OVERDUE}, only silence"),
    Fault(
        name="huge body",
        said="more than 67,108,864 bytes",
        act=endless(head(200, {}), lambda: repeat(bytes(MEGABYTE))),
        seconds=ENOUGH,
    ),
    Fault(
        name="gzip bomb",
        said="more than 67,108,864 bytes",
        act=endless(head(200, {"Content-Encoding": "gzip"}), bomb),
        seconds=ENOUGH,
    ),
    Fault(
        name="gzip members",
        said="more than 67,108,864 bytes",
        act=endless(head(200, {"Content-Encoding": "gzip"}), members),
        seconds=ENOUGH,
    ),
    Fault(name="brotli", said=rf"encoding br|{OVERDUE}", act=ok(CATALOG, Content_Encoding="br")),
    Fault(
        name="small chunks", said=rf"67,108,864|{OVERDUE}", act=endless(CHUNKED, lambda: repeat(b"1\r\n \r\n" * 9999))
    ),
    Fault(name="a chunk of no size", said=OVERDUE, act=endless(CHUNKED, lambda: repeat(b"0" * 9999))),
    Fault(
        name="headers without end",
        said=OVERDUE,
        act=endless(b"HTTP/1.1 200 OK\r\n", lambda: repeat(b"X-A: b\r\n" * 99)),
    ),
    Fault(
        name="trailers without end",
        said=OVERDUE,
        act=endless(CHUNKED + b"2\r\n{}\r\n0\r\n", lambda: repeat(b"X-A: b\r\n" * 99)),
    ),
    Fault(
        name="1xx without end", said=OVERDUE, act=endless(b"", lambda: repeat(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 99))
    ),
    Fault(
        name="small values", said="more than 1,048,576 JSON values in one page", act=ok(values(b"[],")), seconds=ENOUGH
    ),
    Fault(
        name="one number",
        said="sent no list `data`",
        act=ok(b'{"data": ' + b"9" * (63 * MEGABYTE) + b"}"),
        seconds=ENOUGH,
    ),
    Fault(
        name="one text",
        said="is held: would remove all 1 prices",
        act=ok(CATALOG.replace(b"openai/m1", b"openai/" + b"m" * (63 * MEGABYTE))),
        seconds=ENOUGH,
    ),
    Fault(
        name="a refusal of small values",
        said="more than 1,048,576 JSON values in one page",
        act=reply(500, values(b"[],")),
        seconds=ENOUGH,
    ),
    Fault(
        name="pages of small values",
        said="JSON values in all pages",
        act=pages(MEGABYTE, filling=b"[],"),
        seconds=ENOUGH,
    ),
    Fault(name="large pages", said=rf"67,108,864 bytes in all|{OVERDUE}", act=pages(20 * MEGABYTE)),
    Fault(name="too many large pages", said="67,108,864 bytes in all", act=pages(60 * MEGABYTE), seconds=ENOUGH),
    Fault(name="small pages", said=rf"more than 500 pages|{OVERDUE}", act=pages(100)),
    Fault(name="circle", said="redirects in a circle", act=reply(302, Location="?")),
    Fault(name="foreign", said="a redirect to https://example.org", act=reply(302, Location="https://example.org/")),
    Fault(name="file", said="a redirect to no url", act=reply(302, Location="file:///etc/passwd")),
    Fault(name="HTML", said="HTML where JSON", act=reply(200, b"<p>Sign in", Content_Type="text/html")),
    Fault(name="storm", said=rf"HTTP 429 \(5 attempts\)|{OVERDUE}", act=reply(429, Retry_After="0")),
    Fault(name="storm of seconds", said=OVERDUE, act=reply(429, Retry_After="1")),
    Fault(name="storm of days", said="HTTP 429, and the wish that we wait", act=reply(429, Retry_After="9" * 30)),
    Fault(name="rubbish", said=rf"broken reply|{OVERDUE}", act=raw(b"\x00\xff\r\n\r\n" * 999)),
    Fault(
        name="split", said=rf"broken reply|{OVERDUE}", act=raw(b"HTTP/1.1 200 OK\r\nX: \x00\nHTTP/1.1 200 OK\r\n\r\n{}")
    ),
    Fault(name="no such host", said=rf"no connection|{OVERDUE}", url="http://gateway.invalid"),
    Fault(
        name="resolver that hangs",
        said=f"{OVERDUE}, only silence",
        url="http://gateway.invalid",
        startup=HANGING_RESOLVER,
    ),
    Fault(name="unknown authority", said="name the authority's file as ca_file", is_tls=True),
    Fault(name="TLS that is silent", said=OVERDUE, act=SILENCE, url="https://127.0.0.1:{port}"),
    Fault(
        name="proxy that refuses",
        said=rf"403|{OVERDUE}",
        act=reply(403),
        url="https://gateway.test",
        values={"HTTPS_PROXY": "{}"},
    ),
    Fault(name="proxy that is silent", said=OVERDUE, url="http://gateway.test", values={"HTTP_PROXY": "{}"}),
)
