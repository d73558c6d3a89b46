"""The door by which messages go out: one request, in little time. Where to is a secret, and never said."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

from etl.extract.client import HEADERS
from etl.extract.limits import Limits
from etl.extract.resolving import Unwaited
from etl.extract.transport import open_http
from etl.extract.waits import retry_after


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came of a request: ``error`` null when it was taken, else why not in a few words without the url.

    ``wait`` is how many seconds the receiver asks us to wait, 0 when it does not.
    """

    error: str | None = None
    wait: float = 0


@dataclass(frozen=True)
class Door:
    """Sends requests, each within ``seconds``; ``ca_file`` adds an authority to those that are trusted."""

    ca_file: Path | None
    clock: Callable[[], datetime]
    seconds: float = 10

    def post(self, url: str, body: bytes, message_id: str) -> Answer:
        """Post JSON under an id by which the receiver knows what it already has. Raises ``ConfigurationError``."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": message_id}
        return asyncio.run(self._send("POST", url, body, headers))

    def get(self, url: str) -> Answer:
        """Ask for a url, only to be seen there. Raises ``ConfigurationError``."""
        return asyncio.run(self._send("GET", url, b"", {}))

    async def _send(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        for library in ("httpx", "httpcore"):  # They would log every url and every host that is asked.
            logging.getLogger(library).setLevel(logging.WARNING)
        asyncio.get_running_loop().set_default_executor(Unwaited())
        limits = Limits(connect_seconds=self.seconds, read_seconds=self.seconds)
        known = httpx.Headers({"User-Agent": HEADERS["User-Agent"], **headers})
        try:
            # What a receiver has to say is not read: its status says whether it took the message.
            async with (
                asyncio.timeout(self.seconds),
                open_http(known, limits, self.ca_file) as http,
                http.stream(method, url, content=body) as reply,
            ):
                return self._judged(reply)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError, ValueError) as error:
            return Answer(error=self._why(error))

    def _judged(self, reply: httpx.Response) -> Answer:
        if reply.is_success:
            return Answer()
        where = ", a redirect, which is not followed" if reply.has_redirect_location else ""
        wait = retry_after({name.lower(): value for name, value in reply.headers.items()}, self.clock())
        return Answer(error=f"HTTP {reply.status_code}{where}", wait=wait or 0)

    def _why(self, error: Exception) -> str:
        """A failure in a few words. Those of the exception are not used: they may hold the url."""
        match error:
            case TimeoutError() | httpx.TimeoutException():
                return f"no answer within {self.seconds:g} s"
            case httpx.ConnectError() if "CERTIFICATE_VERIFY_FAILED" in str(error):
                return "its certificate is not trusted: name the authority's file as ca_file"
            case httpx.ConnectError():
                return "no connection"
            case httpx.NetworkError() | httpx.RemoteProtocolError():
                return "the connection broke"
            case _:
                return f"it cannot be asked ({type(error).__name__})"
