"""Whatever clients do, /healthz answers within a second; real sockets, many of them at once."""

import http.client
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from etl.config.values import HttpAddress
from etl.schedule import http as serving
from etl.schedule.http import Machine

MANY = 200


class Hanging(Collector):
    """Metrics whose database hangs."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.asked = 0

    def describe(self) -> Iterator[object]:
        return iter(())

    def collect(self) -> Iterator[object]:  # type: ignore[override]
        self.asked += 1
        self.release.wait(20)
        return iter(())


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    found = Hanging()
    yield found
    found.release.set()


@pytest.fixture
def machine(hanging: Hanging) -> Iterator[Machine]:
    registry = CollectorRegistry()
    registry.register(hanging)
    with Machine(
        HttpAddress("127.0.0.1", 0), liveness=lambda: None, readiness=lambda: None, metrics=registry
    ) as served:
        yield served


def is_alive(machine: Machine, path: str = "/healthz") -> bool:
    """Whether the machine answers within a second, as a kubelet asks."""
    connection = http.client.HTTPConnection(*machine.address, timeout=1)
    try:
        connection.request("GET", path)
        return connection.getresponse().read() == b"ok\n"
    finally:
        connection.close()


@contextmanager
def clients(machine: Machine, *first: bytes, count: int = MANY) -> Iterator[list[socket.socket]]:
    """So many connections, each of which sends the first bytes and then nothing."""
    with ExitStack() as stack:
        opened = []
        for _ in range(count):
            client = stack.enter_context(socket.create_connection(machine.address, timeout=5))
            with suppress(OSError):
                client.sendall(b"".join(first))
            opened.append(client)
        yield opened


def drip(machine: Machine, opened: list[socket.socket], stop: threading.Event) -> None:
    """Send a byte of a header on every connection, again and again, and connect anew where it was cut."""
    while not stop.wait(0.02):
        for at, client in enumerate(opened):
            try:
                client.sendall(b"x")
            except OSError:
                client.close()
                with suppress(OSError):
                    opened[at] = socket.create_connection(machine.address, timeout=5)


def test_slow_clients_that_come_again_and_again_do_not_keep_it_from_answering(machine: Machine) -> None:
    stop = threading.Event()
    with clients(machine, b"GET /healthz HTTP/1.1\r\nX: ") as opened:
        dripping = threading.Thread(target=drip, args=(machine, opened, stop))
        dripping.start()
        try:
            for _ in range(20):
                assert is_alive(machine)
                assert is_alive(machine, "/readyz")
                time.sleep(0.05)
        finally:
            stop.set()
            dripping.join()
            for client in opened:
                client.close()


@pytest.mark.parametrize("first", [b"", b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n" * 50])
def test_idle_waiting_and_pipelining_clients_do_not_keep_it_from_answering(machine: Machine, first: bytes) -> None:
    with clients(machine, first):
        for _ in range(5):
            assert is_alive(machine)
            assert is_alive(machine, "/readyz")


def test_a_flood_of_scrapes_asks_a_hanging_database_once_and_starts_no_threads(
    machine: Machine, hanging: Hanging
) -> None:
    before = threading.active_count()
    with clients(machine, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"):
        assert is_alive(machine)
        assert threading.active_count() - before <= 3
        assert hanging.asked == 1


def test_scrapes_in_more_formats_than_are_served_at_once_are_told_to_come_again(machine: Machine) -> None:
    formats = [f"application/openmetrics-text; version=1.0.0; escaping={each}" for each in ("dots", "values")]
    with ExitStack() as stack:
        opened = []
        for accept in ("text/plain", *formats):
            for encoding in ("gzip", "identity"):
                client = stack.enter_context(socket.create_connection(machine.address, timeout=5))
                head = f"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\nAccept-Encoding: {encoding}\r\n\r\n"
                client.sendall(head.encode())
                opened.append(client)
        assert is_alive(machine)


def test_clients_that_drop_their_connections_do_not_keep_it_from_answering(machine: Machine) -> None:
    for _ in range(MANY):
        client = socket.create_connection(machine.address, timeout=5)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        client.close()
    assert is_alive(machine)


def test_a_client_that_reads_nothing_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, machine: Machine, hanging: Hanging
) -> None:
    monkeypatch.setattr(serving, "LONGEST_SECONDS", 0.3)
    hanging.release.set()
    with clients(machine, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", count=1) as [client]:
        time.sleep(0.6)
        while client.recv(1000):
            pass
    assert is_alive(machine)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", b"431"),
        (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000, b"431"),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", b"400"),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n\x00\xff garbage" * 1000, b"200"),
        (b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", b"405"),
    ],
)
def test_what_is_no_question_is_refused_in_words_that_arrive(machine: Machine, sent: bytes, status: bytes) -> None:
    with clients(machine, sent, count=1) as [client]:
        assert client.recv(1000).startswith(b"HTTP/1.1 " + status)
    assert is_alive(machine)


def test_no_more_connections_are_open_than_its_bound(machine: Machine) -> None:
    with clients(machine, b"", count=serving.MOST_OPEN + 10) as opened:
        assert opened[0].recv(1) == b""
        assert is_alive(machine)
        readable, _, _ = select.select(opened, [], [], 0.2)
        assert len(opened) - len(readable) <= serving.MOST_OPEN
