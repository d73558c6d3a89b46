"""HTTP for machines: /healthz, /readyz and /metrics, and nothing else. No client can keep others from an answer.

One thread reads all connections and answers /healthz itself, without the database. What takes time runs in a thread
for /readyz and a thread for /metrics; who asks for what is under way waits for the same answer.
"""

import asyncio
import gzip
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from threading import Thread
from types import TracebackType
from typing import NamedTuple, Self

import h11
import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder, gzip_accepted

from etl.config.values import HttpAddress
from etl.errors import ConfigurationError

Complaint = Callable[[], str | None]
"""Why not, in one line that may be shown; null while all is well."""

MOST_OPEN = 128
"""Connections at a time; a new one then ends the oldest that has not asked yet, or else the oldest."""

BACKLOG = 1024
"""Connections that the system keeps until they are accepted: of more it drops some, and a probe comes a second late."""

MOST_WAITING = 8
"""Answers of one path, in different formats, that may be under way; then it is 503 for others."""

READING_SECONDS = 5.0
"""How long a client may take to ask."""

LONGEST_SECONDS = 10.0
"""How long one request may take, its client included, until its connection is cut."""

LINGERING_SECONDS = 1.0
"""How long a client that sends more than it was asked for is listened to, so that it can read its answer."""

PLAIN = "text/plain; charset=utf-8"


class Reply(NamedTuple):
    """What is answered."""

    status: HTTPStatus
    body: bytes
    content_type: str = PLAIN
    encoding: str | None = None


BUSY = Reply(HTTPStatus.SERVICE_UNAVAILABLE, b"busy; try again\n")
BROKEN = Reply(HTTPStatus.INTERNAL_SERVER_ERROR, b"internal error\n")


class Machine:
    """Serves machines at one address, in threads of its own, within a ``with`` block or until ``close``.

    ``liveness`` and ``readiness`` return why the daemon is not alive or not ready, or null. ``liveness`` is called
    between two connections and must not wait for anything. ``metrics`` is what /metrics shows. The address is bound
    when built: ``address`` then holds the real port. Raises ``ConfigurationError`` when it cannot be bound.
    """

    def __init__(
        self, address: HttpAddress, *, liveness: Complaint, readiness: Complaint, metrics: CollectorRegistry
    ) -> None:
        self._liveness, self._readiness, self._metrics = liveness, readiness, metrics
        self._open: dict[asyncio.StreamWriter, bool] = {}  # The oldest first, and whether it still has to ask.
        self._under_way: dict[tuple[str, object], asyncio.Future[Reply]] = {}
        self._pools = {path: ThreadPoolExecutor(1, f"http {path}") for path in ("/readyz", "/metrics")}
        listening = _bound(address)
        self.address = HttpAddress(address.host, int(listening.getsockname()[1]))
        self._loop = asyncio.new_event_loop()
        # A client that went away is no event, however it went.
        self._loop.set_exception_handler(lambda *_: None)
        self._stop = asyncio.Event()
        self._thread = Thread(target=self._run, args=(listening,), name="http", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Listen no longer, at once, and cut all connections. Safe to repeat."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def _run(self, listening: socket.socket) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._listen(listening))
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)

    async def _listen(self, listening: socket.socket) -> None:
        server = await asyncio.start_server(self._serve, sock=listening, backlog=BACKLOG)
        await self._stop.wait()
        # Accept no more, and close only when what was accepted had its turn: it would be left open (CPython 3.11).
        self._loop.remove_reader(listening)
        for _ in range(20):
            await asyncio.sleep(0.01)
            for writer in self._open:
                writer.transport.abort()
            if len(asyncio.all_tasks()) == 1:
                break
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, then close the connection."""
        if len(self._open) >= MOST_OPEN:
            oldest = next((each for each, is_asking in self._open.items() if is_asking), next(iter(self._open)))
            del self._open[oldest]
            oldest.transport.abort()
        self._open[writer] = True
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                await self._answer(reader, writer)
        except (OSError, TimeoutError, h11.LocalProtocolError):
            pass  # The client went away, or was too slow, or sent what cannot even be refused.
        finally:
            self._open.pop(writer, None)
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        is_head = False
        try:
            async with asyncio.timeout(READING_SECONDS):
                request = await _asked(connection, reader)
        except h11.RemoteProtocolError as error:
            status = HTTPStatus(error.error_status_hint)
            reply = Reply(status, f"{status.phrase.lower()}\n".encode())
        else:
            if request is None:
                return
            self._open[writer] = False
            is_head = request.method == b"HEAD"
            reply = await self._reply(request)
        writer.write(_sent(connection, reply, has_body=not is_head))
        await writer.drain()
        # Closing while there is something unread would take the answer away from the client.
        self._open[writer] = True
        writer.write_eof()
        async with asyncio.timeout(LINGERING_SECONDS):
            while await reader.read(4096):
                pass

    async def _reply(self, request: h11.Request) -> Reply:
        if request.method not in (b"GET", b"HEAD"):
            return Reply(HTTPStatus.METHOD_NOT_ALLOWED, b"method not allowed\n")
        path = request.target.partition(b"?")[0].decode("ascii", "replace")
        try:
            match path:
                case "/healthz":
                    return _judged(self._liveness)
                case "/readyz":
                    return await self._shared(path, None, lambda: _judged(self._readiness))
                case "/metrics":
                    headers = dict(request.headers)
                    encode, content_type = choose_encoder(headers.get(b"accept", b"").decode("latin-1"))
                    is_packed = gzip_accepted(headers.get(b"accept-encoding", b"").decode("latin-1"))
                    key = (content_type, is_packed)
                    return await self._shared(path, key, lambda: _exposed(encode(self._metrics), *key))
                case _:
                    return Reply(HTTPStatus.NOT_FOUND, b"not found; there is /healthz, /readyz, /metrics\n")
        except Exception as error:  # noqa: BLE001  a question that cannot be answered must not end the server
            structlog.get_logger().warning("a request failed", path=path[:100], because=type(error).__name__)
            return BROKEN

    async def _shared(self, path: str, variant: object, work: Callable[[], Reply]) -> Reply:
        """The reply that is under way, or begin it in the thread of the path."""
        future = self._under_way.get((path, variant))
        if future is None:
            if sum(there == path for there, _ in self._under_way) >= MOST_WAITING:
                return BUSY
            future = self._loop.run_in_executor(self._pools[path], work)
            self._under_way[path, variant] = future
            future.add_done_callback(lambda _: self._under_way.pop((path, variant)))
        # A client that goes away does not end what others wait for.
        return await asyncio.shield(future)


async def _asked(connection: h11.Connection, reader: asyncio.StreamReader) -> h11.Request | None:
    """The request of a client; null when it went away. Raises ``h11.RemoteProtocolError`` for what is none."""
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(4096))
    return event if isinstance(event, h11.Request) else None


def _sent(connection: h11.Connection, reply: Reply, *, has_body: bool) -> bytes:
    """A reply as bytes."""
    headers = {
        "Server": "etl",  # Without versions: those who may know them find them in the metrics.
        "Content-Type": reply.content_type,
        "Content-Length": str(len(reply.body)),
        "Cache-Control": "no-store",
        "Connection": "close",
    }
    if reply.encoding:
        headers["Content-Encoding"] = reply.encoding
    if reply.status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = "GET, HEAD"
    head = h11.Response(status_code=reply.status, headers=list(headers.items()), reason=reply.status.phrase)
    sent = connection.send(head) or b""
    return sent + reply.body if has_body else sent


def _judged(complaint: Complaint) -> Reply:
    why_not = complaint()
    if why_not is None:
        return Reply(HTTPStatus.OK, b"ok\n")
    return Reply(HTTPStatus.SERVICE_UNAVAILABLE, f"{' '.join(why_not.split())}\n".encode())


def _exposed(body: bytes, content_type: str, is_packed: bool) -> Reply:  # noqa: FBT001  called with a key
    if is_packed:
        return Reply(HTTPStatus.OK, gzip.compress(body, 6), content_type, "gzip")
    return Reply(HTTPStatus.OK, body, content_type)


def _bound(address: HttpAddress) -> socket.socket:
    """A socket at a host, by name or number; a name for both families means the older one."""
    try:
        found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, place = min(found, key=lambda each: each[0] != socket.AF_INET)
        return socket.create_server(place[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        host = f"[{address.host}]" if ":" in address.host else address.host
        raise ConfigurationError(
            f"http_address {host}:{address.port} cannot be bound: {error.strerror or error}; "
            "end what listens there, or configure another address of this machine"
        ) from None
