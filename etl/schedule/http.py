"""HTTP for machines: /healthz, /readyz and /metrics, and nothing else. Nobody can hold it up for long."""

import gzip
import socket
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import TCPServer, ThreadingMixIn
from threading import BoundedSemaphore, Thread, Timer
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder, gzip_accepted

from etl.config.values import HttpAddress
from etl.errors import ConfigurationError

Complaint = Callable[[], str | None]
"""Why not, in one line that may be shown; null while all is well."""

MOST_AT_ONCE = 16
"""Requests that are served at a time; whoever comes then is turned away, and asks again."""

LONGEST_SECONDS = 10.0
"""How long one request may take, its client included, until its connection is cut."""

PLAIN = "text/plain; charset=utf-8"


class Reply(NamedTuple):
    """What is answered."""

    status: HTTPStatus
    body: bytes
    content_type: str = PLAIN
    encoding: str | None = None


class Machine:
    """Serves machines at one address, in threads of its own, within a ``with`` block or until ``close``.

    ``liveness`` and ``readiness`` say why the daemon is not alive or not ready, or null. They are called in the
    threads of the requests, at each request; so must they be quick and safe to call at once. ``metrics`` is what
    /metrics shows. The address is bound when built: ``address`` then holds the real port. Raises
    ``ConfigurationError`` when it cannot be bound.
    """

    def __init__(
        self, address: HttpAddress, *, liveness: Complaint, readiness: Complaint, metrics: CollectorRegistry
    ) -> None:
        self._server = _Server(_resolved(address), _Handler)
        self._server.routes = {
            "/healthz": lambda _: _told(liveness),
            "/readyz": lambda _: _told(readiness),
            "/metrics": lambda request: _exposed(metrics, request),
        }
        try:
            self._server.server_bind()
            self._server.server_activate()
        except OSError as error:
            self._server.server_close()
            raise _refused(address, error) from None
        self.address = HttpAddress(address.host, int(self._server.server_address[1]))
        # Looks up every so often whether it shall end.
        self._thread = Thread(target=self._server.serve_forever, args=(0.1,), name="http", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Listen no longer, at once; requests that are being served are cut off with the process. Safe to repeat."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingMixIn, HTTPServer):
    """A thread for each request, of which there are not many at once; none outlives the process."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    routes: dict[str, Callable[["_Handler"], Reply]]

    def __init__(self, resolved: tuple[socket.AddressFamily, Any], handler: type["_Handler"]) -> None:
        self.address_family = resolved[0]
        self._free = BoundedSemaphore(MOST_AT_ONCE)
        super().__init__(resolved[1], handler, bind_and_activate=False)

    def server_bind(self) -> None:
        """Bind, without asking the name service who we are, which can take long."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve in a thread of its own, or not at all when there are too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # The system gives no thread.
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve, for so long and no longer."""
        end = Timer(LONGEST_SECONDS, _cut, (request,))
        end.daemon = True
        end.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            end.cancel()
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no event; what breaks on our side is told where it is answered."""


class _Handler(BaseHTTPRequestHandler):
    """One request, then the connection is closed."""

    server: _Server
    timeout = 5.0
    """Seconds for each read and each write."""

    def do_GET(self) -> None:
        """Answer with what there is."""
        self._send(self._reply(), has_body=True)

    def do_HEAD(self) -> None:
        """Answer as to GET, without the body."""
        self._send(self._reply(), has_body=False)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Say in plain text what is wrong with a request; a method that is not served is refused as such."""
        del message, explain
        status = HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else HTTPStatus(code)
        self._send(Reply(status, f"{status.phrase.lower()}\n".encode()), has_body=True)

    def version_string(self) -> str:
        """Who answers, without versions: whoever may know them finds them in the metrics."""
        return "etl"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  so it is called by its caller
        """No log of accesses: what asks every few seconds would drown what a person has to read."""

    def _reply(self) -> Reply:
        answer = self.server.routes.get(urlsplit(self.path).path)
        if answer is None:
            return Reply(HTTPStatus.NOT_FOUND, f"not found; there is {', '.join(self.server.routes)}\n".encode())
        try:
            return answer(self)
        except Exception as error:  # noqa: BLE001  a question that cannot be answered must not end the server
            structlog.get_logger().warning("a request failed", path=self.path[:100], because=type(error).__name__)
            return Reply(HTTPStatus.INTERNAL_SERVER_ERROR, b"internal error\n")

    def _send(self, reply: Reply, *, has_body: bool) -> None:
        self.close_connection = True
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        if reply.encoding:
            self.send_header("Content-Encoding", reply.encoding)
        if reply.status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.end_headers()
        if has_body:
            self.wfile.write(reply.body)


def _told(complaint: Complaint) -> Reply:
    why_not = complaint()
    if why_not is None:
        return Reply(HTTPStatus.OK, b"ok\n")
    return Reply(HTTPStatus.SERVICE_UNAVAILABLE, f"{' '.join(why_not.split())}\n".encode())


def _exposed(metrics: CollectorRegistry, request: BaseHTTPRequestHandler) -> Reply:
    """The metrics in the format that the client prefers."""
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    body = encode(metrics)
    if not gzip_accepted(request.headers.get("Accept-Encoding", "")):
        return Reply(HTTPStatus.OK, body, content_type)
    return Reply(HTTPStatus.OK, gzip.compress(body, 6), content_type, "gzip")


def _cut(request: socket.socket) -> None:
    """End a connection that takes too long; it may just have ended by itself."""
    try:
        request.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _resolved(address: HttpAddress) -> tuple[socket.AddressFamily, Any]:
    """The family and the socket address of a host, by name or number; a name for both families means the older one."""
    try:
        found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise _refused(address, error) from None
    family, *_, place = min(found, key=lambda each: each[0] != socket.AF_INET)
    return family, place


def _refused(address: HttpAddress, error: OSError) -> ConfigurationError:
    host = f"[{address.host}]" if ":" in address.host else address.host
    return ConfigurationError(
        f"http_address {host}:{address.port} cannot be listened at: {error.strerror or error}; "
        "end what listens there, or configure another address of this machine"
    )
