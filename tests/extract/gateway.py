"""A gateway on loopback that plays a script over real sockets: each request gets the next act, the last one repeats."""

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; header names are lower-case."""

    target: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def params(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))


Act = Callable[[socket.socket, Asked], None]
"""What the gateway does with one connection after it has read the request."""


def head(status: int, headers: dict[str, str]) -> bytes:
    """A status line and headers, for acts that write their own bytes."""
    lines = [f"HTTP/1.1 {status} Said", "Connection: close", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def reply(status: int, body: bytes = b"", **headers: str) -> Act:
    """A whole reply; underscores in header names stand for dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = head(status, {"Content-Length": str(len(body)), **named}) + body
    return lambda connection, _: connection.sendall(sent)


def ok(body: bytes, **headers: str) -> Act:
    """A catalog, or what passes for one."""
    return reply(200, body, **{"Content_Type": "application/json", **headers})


def raw(data: bytes) -> Act:
    """Bytes as they are; then the connection is closed."""
    return lambda connection, _: connection.sendall(data)


def reset(data: bytes) -> Act:
    """Bytes, and then a reset instead of an end."""

    def act(connection: socket.socket, _: Asked) -> None:
        connection.sendall(data)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return act


def drip(data: bytes, tail: bytes = b"x" * 1000, seconds: float = 0.02) -> Act:
    """Some bytes at once and then one at a time, for as long as anyone listens."""

    def act(connection: socket.socket, _: Asked) -> None:
        connection.sendall(data)
        for byte in tail:
            time.sleep(seconds)
            connection.sendall(bytes([byte]))

    return act


class Gateway:
    """Listens on 127.0.0.1 at a free port, each connection in a thread of its own, until the block ends."""

    def __init__(self, *script: Act, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self._script = script
        self._tls = tls
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._listen)]
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"{'https' if tls else 'http'}://{self.host}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            if asked := _read(connection):
                self._next_act(asked)(connection, asked)
        except OSError:
            pass  # The client has had enough: that is what some tests are about.
        finally:
            connection.close()

    def _next_act(self, asked: Asked) -> Act:
        with self._lock:
            self.asked.append(asked)
            return self._script[min(len(self.asked), len(self._script)) - 1]


def _read(connection: socket.socket) -> Asked | None:
    """One request, or null when the client said too little."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (part := connection.recv(65536)):
            return None
        data += part
    said, _, body = data.partition(b"\r\n\r\n")
    first, *lines = said.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        if not (part := connection.recv(65536)):
            return None
        body += part
    return Asked(first.split(" ")[1], headers, body)
