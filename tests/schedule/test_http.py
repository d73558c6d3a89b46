"""What machines are answered over real sockets, and that no client can hold it up."""

import gzip
import http.client
import socket
import time
from collections.abc import Callable, Iterator

import pytest
from prometheus_client import CollectorRegistry, Gauge

from etl.config.values import HttpAddress
from etl.errors import ConfigurationError
from etl.schedule import http as serving
from etl.schedule.http import Machine

ANYWHERE = HttpAddress("127.0.0.1", 0)

Ask = Callable[..., http.client.HTTPResponse]


class Daemon:
    """Why it is not alive and not ready."""

    liveness: str | None = None
    readiness: str | None = None


@pytest.fixture
def daemon() -> Daemon:
    return Daemon()


@pytest.fixture
def machine(daemon: Daemon) -> Iterator[Machine]:
    registry = CollectorRegistry()
    Gauge("etl_answer", "The answer.", registry=registry).set(42)
    with Machine(
        ANYWHERE, liveness=lambda: daemon.liveness, readiness=lambda: daemon.readiness, metrics=registry
    ) as served:
        yield served


def ask(machine: Machine, path: str, method: str = "GET", **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(*machine.address, timeout=5)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def test_it_says_ok_while_it_is_alive_and_else_why_not(machine: Machine, daemon: Daemon) -> None:
    response, body = ask(machine, "/healthz")
    assert (response.status, body, response.headers["Server"]) == (200, b"ok\n", "etl")
    daemon.liveness = "the scheduler\nended"
    response, body = ask(machine, "/healthz?verbose")
    assert (response.status, body) == (503, b"the scheduler ended\n")


def test_it_is_ready_or_says_why_not(machine: Machine, daemon: Daemon) -> None:
    assert ask(machine, "/readyz")[0].status == 200
    daemon.readiness = "no database at postgresql://etl:***@db/etl"
    response, body = ask(machine, "/readyz")
    assert (response.status, body) == (503, b"no database at postgresql://etl:***@db/etl\n")
    assert ask(machine, "/healthz")[0].status == 200


def test_metrics_come_in_the_format_that_the_client_prefers(machine: Machine) -> None:
    response, body = ask(machine, "/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert b"etl_answer 42.0\n" in body
    response, body = ask(machine, "/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert response.headers["Content-Type"].startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
    response, body = ask(machine, "/metrics", **{"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert b"etl_answer" in gzip.decompress(body)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_head_is_get_without_the_body(machine: Machine, path: str) -> None:
    whole = ask(machine, path)
    response, body = ask(machine, path, "HEAD")
    assert (response.status, body) == (200, b"")
    assert response.headers["Content-Length"] == str(len(whole[1]))


def test_there_is_nothing_else(machine: Machine) -> None:
    response, body = ask(machine, "/")
    assert (response.status, body) == (404, b"not found; there is /healthz, /readyz, /metrics\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_nothing_can_be_done_to_it(machine: Machine, method: str) -> None:
    response, _ = ask(machine, "/healthz", method)
    assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")


def test_a_question_that_breaks_is_answered_without_its_reason(machine: Machine, daemon: Daemon) -> None:
    daemon.readiness = 7  # type: ignore[assignment]
    response, body = ask(machine, "/readyz")
    assert (response.status, body) == (500, b"internal error\n")
    assert ask(machine, "/healthz")[0].status == 200


def test_a_client_that_drips_is_cut_off(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    del daemon
    monkeypatch.setattr(serving, "LONGEST_SECONDS", 0.3)
    silent = {"liveness": lambda: None, "readiness": lambda: None}
    with (
        Machine(ANYWHERE, **silent, metrics=CollectorRegistry()) as machine,
        socket.create_connection(machine.address, timeout=5) as client,
    ):
        client.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
        assert client.recv(100) == b""


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n"])
def test_garbage_is_survived_in_silence(machine: Machine, garbage: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_connection(machine.address, timeout=5) as client:
        client.sendall(garbage)
        client.shutdown(socket.SHUT_WR)
        client.recv(1000)
    assert ask(machine, "/healthz")[0].status == 200
    assert capsys.readouterr() == ("", "")


def test_it_ends_at_once_although_clients_hang_on_and_the_port_is_free_again(daemon: Daemon) -> None:
    del daemon
    silent = {"liveness": lambda: None, "readiness": lambda: None}
    machine = Machine(ANYWHERE, **silent, metrics=CollectorRegistry())
    with socket.create_connection(machine.address):
        began = time.monotonic()
        machine.close()
        machine.close()
        assert time.monotonic() - began < 1
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(machine.address)
    Machine(machine.address, **silent, metrics=CollectorRegistry()).close()


def test_an_address_that_is_taken_is_refused_with_key_and_remedy(machine: Machine) -> None:
    with pytest.raises(ConfigurationError, match=f"http_address 127.0.0.1:{machine.address.port} cannot") as caught:
        Machine(machine.address, liveness=lambda: None, readiness=lambda: None, metrics=CollectorRegistry())
    assert "\n" not in str(caught.value)
    assert "configure another address" in str(caught.value)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="http_address 192.0.2.1:0 cannot"):
        Machine(HttpAddress("192.0.2.1", 0), liveness=lambda: None, readiness=lambda: None, metrics=CollectorRegistry())


def test_it_listens_on_ipv6_too() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    here = HttpAddress("::1", 0)
    with Machine(here, liveness=lambda: None, readiness=lambda: None, metrics=CollectorRegistry()) as machine:
        assert ask(machine, "/healthz")[0].status == 200
