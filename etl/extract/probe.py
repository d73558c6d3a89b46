"""Whether a gateway would answer now: one request for the first page, in a few seconds, landing nothing."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from etl.domain.snapshot import Page
from etl.errors import FetchError, SourceError
from etl.extract.client import Client, Limits, Secret
from etl.extract.waits import server_time
from etl.sources.base import Source


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """What one request came to. ``error`` says why it was no success; ``status`` is null when nothing came.

    ``server_time`` is the gateway's own, to the second, and ``answered_at`` ours when its answer began to arrive.
    """

    url: str
    seconds: float
    status: int | None = None
    server_time: datetime | None = None
    answered_at: datetime | None = None
    error: SourceError | None = None


def probe(
    source: Source[Any],
    *,
    url: str,
    clock: Callable[[], datetime],
    secret: Secret | None = None,
    seconds: float = 10,
    ca_file: Path | None = None,
) -> Probe:
    """Ask a source for its first page once, for so many seconds at most, and read only how the answer begins.

    Raises ``ConfigurationError`` before anything is asked.
    """
    limits = Limits(timeout_seconds=seconds, connect_seconds=seconds, read_seconds=seconds)

    async def _probe() -> Probe:
        async with Client(source, url=url, clock=clock, secret=secret, limits=limits, ca_file=ca_file) as client:
            began = time.monotonic()
            error = await _error(source, client)
            return _told(client.url_of(source.first_page()), time.monotonic() - began, client.last_reply, error)

    return asyncio.run(_probe())


async def _error(source: Source[Any], client: Client) -> SourceError | None:
    try:
        async with asyncio.timeout(client.limits.timeout_seconds):
            await client.probe(source.first_page())
    except TimeoutError:
        came = f"no answer within {client.limits.timeout_seconds:g} s"
        return FetchError(client.line(client.url_of(source.first_page()), came, "check the url, or try again later"))
    except SourceError as error:
        return error
    return None


def _told(url: str, seconds: float, page: Page | None, error: SourceError | None) -> Probe:
    if page is None:
        return Probe(url=url, seconds=seconds, error=error)
    return Probe(
        url=page.url,
        seconds=seconds,
        status=page.status,
        server_time=server_time(page.headers),
        answered_at=page.fetched_at,
        error=error,
    )
