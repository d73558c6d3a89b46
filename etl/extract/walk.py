"""From the first page of a catalog to the last, and once more when the pages contradict each other."""

import asyncio
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from etl.domain.snapshot import Page, PageRequest
from etl.errors import ContractError, FetchError, IncompleteError, SourceError, in_short
from etl.extract.body import values_in
from etl.extract.client import ALLOW_MORE, Client, Limits, Secret, Validators
from etl.extract.resolving import Unwaited
from etl.sources.base import Source
from etl.telemetry import span

RESTARTS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a walk brought home: a snapshot's pages, or the evidence of a failure.

    ``pages`` are those of the last walk, in order; after an error the last may be a refusal or cut short.
    They stay out of the representation, which ``asyncio.run`` spells out and throws away.
    """

    pages: tuple[Page, ...] = field(repr=False)
    error: SourceError | None = None

    @property
    def observed_at(self) -> datetime | None:
        """When the first of them arrived (aware, UTC); null when none did."""
        return self.pages[0].fetched_at if self.pages else None


class _ContradictionError(Exception):
    """The pages disagree with each other, so that walking again may help; the text says how."""


async def walk(
    source: Source[Any], client: Client, *, validators: Validators | None = None, restarts: int = RESTARTS
) -> Outcome:
    """All pages of one snapshot, or why there is none; a ``SourceError`` is returned and never raised.

    ``validators`` belong to the first page; walking again does without them, for they may be what misled us.
    """
    walker = _Walker(source, client)
    try:
        async with asyncio.timeout(client.limits.timeout_seconds) as limit:
            walker.ends_at = limit.when() or math.inf
            await walker.walk_until_consistent(validators, restarts)
    except TimeoutError:
        return Outcome(pages=walker.evidence(), error=walker.overdue())
    except SourceError as error:
        return Outcome(pages=walker.evidence(), error=error)
    except Exception as error:  # noqa: BLE001  whatever a reply makes of us, what came of it is landed
        return Outcome(pages=walker.evidence(), error=walker.broken(error))
    return Outcome(pages=tuple(walker.pages))


def fetch_snapshot(  # noqa: PLR0913  each is one fact of the configuration
    source: Source[Any],
    *,
    url: str,
    clock: Callable[[], datetime],
    secret: Secret | None = None,
    limits: Limits | None = None,
    ca_file: Path | None = None,
    validators: Validators | None = None,
) -> Outcome:
    """Walk one source in an event loop of its own, so that any thread can do it.

    Raises ``ConfigurationError`` before anything is asked; everything after is in the ``Outcome``.
    """

    async def _walk() -> Outcome:
        asyncio.get_running_loop().set_default_executor(Unwaited())
        async with Client(source, url=url, clock=clock, secret=secret, limits=limits, ca_file=ca_file) as client:
            return await walk(source, client, validators=validators)

    return asyncio.run(_walk())


class _Walker:
    """Where a walk stands, readable also after it was cut off."""

    def __init__(self, source: Source[Any], client: Client) -> None:
        self.pages: list[Page] = []
        self.ends_at = math.inf
        """When the walk has to be over, on the clock of the event loop."""
        self._source = source
        self._client = client
        self._request = source.first_page()
        self._values = 0

    async def walk_until_consistent(self, validators: Validators | None, restarts: int) -> None:
        """Walk, and walk again at most ``restarts`` times while the pages contradict each other."""
        for walks in range(1, restarts + 2):
            try:
                await self._walk_once(validators if walks == 1 else None)
            except _ContradictionError as error:
                if walks > restarts:
                    came = f"{error} (after {walks} walks)"
                    raise IncompleteError(self._line(came, "the catalog changes while it is read: try later")) from None
                await asyncio.sleep(self._client.limits.pause_seconds)
            else:
                return

    async def _walk_once(self, validators: Validators | None) -> None:
        self.pages.clear()
        self._values = 0
        asked: set[PageRequest] = set()
        request: PageRequest | None = self._source.first_page()
        while request:
            self._permit(request, asked)
            asked.add(request)
            self._request = request
            self.pages.append(await self._page(request, len(asked), validators if len(asked) == 1 else None))
            self._bear()
            with self._reading():
                request = self._source.next_page(self.pages[-1])
        with self._reading():
            coverage = self._source.coverage(tuple(self.pages))
        if coverage.is_contradictory:
            raise _ContradictionError(coverage.reason)

    async def _page(self, request: PageRequest, number: int, validators: Validators | None) -> Page:
        """One page, said to whoever watches."""
        with span("etl.page", number=number) as work:
            page = await self._client.fetch(request, number, validators)
            facts: dict[str, Any] = {"url": page.url, "status": page.status, "bytes": len(page.body)}
            work.tell(**facts)
        structlog.get_logger().info("page came", number=number, **facts)
        return page

    def _permit(self, request: PageRequest, asked: set[PageRequest]) -> None:
        """Refuse to go in circles or on for ever."""
        if request in asked:
            raise _ContradictionError(f"page {len(asked)} leads back to an earlier one")
        if len(asked) >= self._client.limits.max_pages:
            came = f"more than {len(asked)} pages"
            raise IncompleteError(self._line(came, "use larger pages (page_size), or check the url"))

    def _bear(self) -> None:
        """Refuse pages that together are more than memory may have to hold, before they are decoded."""
        limits, bodies = self._client.limits, [page.body for page in self.pages]
        if sum(map(len, bodies)) > limits.max_walk_bytes:
            raise IncompleteError(self._line(f"more than {limits.max_walk_bytes:,} bytes in all pages", ALLOW_MORE))
        self._values += values_in(bodies[-1])
        if self._values > limits.max_values:
            raise IncompleteError(self._line(f"more than {limits.max_values:,} JSON values in all pages", ALLOW_MORE))

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """What the source says of a page's shape, with the source's name and the page's url."""
        try:
            yield
        except ContractError as error:
            advice = "look at what was landed: the gateway may have changed its format"
            raise ContractError(self._client.line(self.pages[-1].url, f"{error}", advice)) from None
        except Exception as error:
            came = f"it cannot be read ({in_short(error)})"
            raise ContractError(self._client.line(self.pages[-1].url, came, "please report this")) from error
        # Reading gives the event loop no chance to end the walk when its time is over.
        if asyncio.get_running_loop().time() >= self.ends_at:
            raise TimeoutError

    def evidence(self) -> tuple[Page, ...]:
        """Every page of this walk, and of the one that failed what came of it."""
        reply = self._client.last_reply
        return (*self.pages, reply) if reply and reply.number > len(self.pages) else tuple(self.pages)

    def broken(self, error: Exception) -> FetchError:
        """The error for a walk that something unforeseen ended."""
        return FetchError(self._line(f"the walk broke off ({in_short(error)})", "please report this"))

    def overdue(self) -> FetchError:
        """The error for a walk that did not end in time, with what had come."""
        parts = [f"{len(self.pages)} whole page{'s' if self.pages[1:] else ''}"] if self.pages else []
        if rest := self.evidence()[len(self.pages) :]:
            parts.append(f"{len(rest[0].body):,} bytes of page {rest[0].number} (HTTP {rest[0].status})")
        came = f"no end within {self._client.limits.timeout_seconds:g} s, only {' and '.join(parts) or 'silence'}"
        if self._client.last_trouble:
            came += f", after {self._client.last_trouble}"
        return FetchError(self._line(came, "try again later, or allow more time (timeout_seconds)"))

    def _line(self, came: str, advice: str) -> str:
        return self._client.line(self._client.url_of(self._request), came, advice)
