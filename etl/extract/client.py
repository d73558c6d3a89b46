"""The only door to HTTP: one GET, bounded in size, kept to its origin, retried when retrying can help."""

import dataclasses
import importlib.metadata
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import httpx
import stamina

from etl.concealment import Secrets
from etl.domain.snapshot import Page, PageRequest
from etl.errors import FetchError
from etl.extract.address import Address, ForeignOriginError
from etl.extract.body import Body, BodyBrokenError, BodyTooLargeError
from etl.extract.limits import Limits
from etl.extract.secrets import Secret
from etl.extract.transport import came, open_http
from etl.extract.validators import Validators, is_sendable
from etl.extract.verdict import CHECK_URL, Judge, PassingError
from etl.sources.base import Source

__all__ = ["Client", "Limits", "Secret", "Validators"]

HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": f"llm-price-warehouse/{importlib.metadata.version('llm-price-warehouse')}",
}

ALLOW_MORE = "check the url, or allow larger pages (max_page_bytes)"

_COOKIES = frozenset({"set-cookie", "set-cookie2"})

_VALIDATORS = frozenset({"etag", "last-modified"})

_NOT_ON_CONDITIONS = frozenset({400, 412, 413, 431})
"""Refusals that may be meant for the conditions of a request, such as an ETag that a proxy finds too long."""


class Client:
    """One source's gateway over HTTP/1.1, for one walk; an asynchronous context manager.

    ``source`` only says what a refusal means; ``url`` is the configured base, to which request paths are
    appended; ``ca_file`` adds an authority to those that are trusted. Raises ``ConfigurationError`` when built
    from a url, a proxy or a file that cannot be used.
    """

    def __init__(
        self,
        source: Source[Any],
        *,
        url: str,
        clock: Callable[[], datetime],
        secret: Secret | None = None,
        limits: Limits | None = None,
        ca_file: Path | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.last_reply: Page | None = None
        """The newest reply to the current request, as far as it came: evidence when the walk fails."""
        self.last_trouble = ""
        """What became of the last attempt at the current request, when another one follows."""
        self._address = Address.parse(url, source.name)
        self._clock = clock
        self._secrets = Secrets.of((*(secret.spellings if secret else ()), *self._address.secrets))
        self._judge = Judge(source, secret, self._secrets, self.limits, clock)
        self._http = open_http(_headers(secret, self._address.basic_authorization), self.limits, ca_file)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    def url_of(self, request: PageRequest) -> str:
        """The url of a request as it may be shown."""
        return self._shown(self._address.of(request))

    def line(self, url: str, came: str, advice: str) -> str:
        """One line about a failure, without secrets: source, url, what came, what to do."""
        return self._judge.line(url, came, advice)

    async def fetch(self, request: PageRequest, number: int, validators: Validators | None = None) -> Page:
        """The reply to one request as page ``number`` (from 1); a 304 carries the body of ``validators``.

        Raises ``AccessError`` when the gateway refuses us, ``FetchError`` for everything else but success.
        """
        self.last_reply, self.last_trouble = None, ""
        tries = 0
        try:
            async for attempt in stamina.retry_context(on=_patience, timeout=None, **_pace(self.limits)):
                tries = attempt.num
                with attempt:
                    return await self._noted(self._attempt(request, number, validators))
        except PassingError as error:
            came = f"{error.came} ({tries} attempts)" if tries > 1 else error.came
            raise self._judge.final(error.url, came, error.advice) from None
        raise AssertionError("a retried block returns or raises")

    async def probe(self, request: PageRequest) -> Page:
        """Whether a request would succeed: asked once, the body left unread. Raises what ``fetch`` does."""
        self.last_reply = None
        try:
            return await self._attempt(request, 1, None, is_whole=False)
        except PassingError as error:
            raise self._judge.final(error.url, error.came, error.advice) from None

    async def _noted(self, attempt: Awaitable[Page]) -> Page:
        """The page, or what is told should time run out before the next attempt ends."""
        try:
            return await attempt
        except PassingError as error:
            self.last_trouble = error.came
            raise

    async def _attempt(
        self, request: PageRequest, number: int, validators: Validators | None, *, is_whole: bool = True
    ) -> Page:
        """Fetch once. Raises what ``fetch`` does, and ``PassingError``."""
        url = self.url_of(request)
        conditions = validators.conditions(url) if validators else {}
        try:
            page = await self._follow(request, number, conditions, is_whole=is_whole)
            if conditions and page.status in _NOT_ON_CONDITIONS:
                conditions = {}
                page = await self._follow(request, number, {}, is_whole=is_whole)
        except httpx.TransportError as error:
            raise self._interrupted(url, error) from None
        except httpx.InvalidURL as error:
            raise self._judge.final(url, f"this is no url that can be asked ({error})", CHECK_URL) from None
        except BodyBrokenError as error:
            raise self._judge.passing(url, f"{error}", "try again later, or look at the proxies between") from None
        except BodyTooLargeError as error:
            raise self._judge.final(url, f"{error}", ALLOW_MORE) from None
        return self._judge.judge(page, validators if conditions else None)

    async def _follow(
        self, request: PageRequest, number: int, conditions: Mapping[str, str], *, is_whole: bool
    ) -> Page:
        """The first reply that is no redirect."""
        hops = [self._address.of(request)]
        while True:
            sent = {} if hops[1:] else conditions
            page, location = await self._exchange(hops[-1], request, number, sent, is_whole=is_whole)
            if location is None:
                return page
            target = self._redirected(hops[-1], location)
            if target in hops:
                raise self._judge.final(self._shown(hops[0]), "redirects in a circle", CHECK_URL)
            if len(hops) > self.limits.max_redirects:
                raise self._judge.final(self._shown(hops[0]), f"more than {len(hops) - 1} redirects", CHECK_URL)
            hops.append(target)

    async def _exchange(
        self, url: str, request: PageRequest, number: int, conditions: Mapping[str, str], *, is_whole: bool
    ) -> tuple[Page, str | None]:
        """One reply and, when it is a redirect, where to. What came is kept however it ends."""
        async with self._http.stream("GET", url, headers=conditions) as response:
            body = Body(response.headers.get("content-encoding", ""), self.limits.max_page_bytes)
            page = Page(
                number=number,
                url=self._shown(url),
                status=response.status_code,
                body=b"",
                fetched_at=self._clock(),
                request=request,
                headers=self._kept(response.headers),
            )
            try:
                if is_whole or response.is_error:
                    async for chunk in response.aiter_raw():
                        body.feed(chunk)
                    body.finish()
                    # Refusals are read as well: nothing is decoded that memory might not hold.
                    if body.values > self.limits.max_values:
                        raise BodyTooLargeError(f"more than {self.limits.max_values:,} JSON values in one page")
            finally:
                self.last_reply = page = dataclasses.replace(page, body=self._secrets.blot(bytes(body)))
            return page, response.headers["location"] if response.has_redirect_location else None

    def _redirected(self, url: str, location: str) -> str:
        """Where a redirect leads, when it stays with its origin. Raises ``FetchError``."""
        try:
            return self._address.redirected(url, location)
        except ForeignOriginError as error:
            advice = f"credentials stay with their origin: if {error} is right, configure it as the url"
            raise self._judge.final(self._shown(url), f"a redirect to {error}", advice) from None
        except ValueError as error:
            raise self._judge.final(self._shown(url), f"a redirect to no url ({error})", CHECK_URL) from None

    def _interrupted(self, url: str, error: httpx.TransportError) -> FetchError | PassingError:
        """What a failure below HTTP means; a certificate that is not trusted now will not be in a second."""
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return self._judge.final(url, f"{error}", "check the url, or name the authority's file as ca_file")
        if isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol):
            return self._judge.final(url, f"the request cannot be sent ({error})", CHECK_URL)
        return self._judge.passing(url, came(error, self.limits), "check the url, or try again later")

    def _kept(self, headers: httpx.Headers) -> dict[str, str]:
        """The reply's headers, in lower case, without cookies, long validators and any that echoes a secret."""
        kept = {name.lower(): value for name, value in headers.items()}
        return {
            name: value
            for name, value in kept.items()
            if not (_is_left_out(name, value) or self._secrets.are_in(value))
        }

    def _shown(self, url: str) -> str:
        return self._secrets.hide(self._address.shown(url))


def _is_left_out(name: str, value: str) -> bool:
    return name in _COOKIES or (name in _VALIDATORS and not is_sendable(value))


def _headers(secret: Secret | None, basic: str | None) -> httpx.Headers:
    """What every request carries; a configured credential goes before the user-info of the url."""
    headers = httpx.Headers(HEADERS)
    if basic:
        headers["Authorization"] = basic
    if secret:
        headers[secret.header] = secret.value
    return headers


def _pace(limits: Limits) -> dict[str, Any]:
    return {
        "attempts": limits.max_attempts,
        "wait_initial": limits.backoff_seconds,
        "wait_max": limits.max_backoff_seconds,
        "wait_jitter": limits.jitter_seconds,
    }


def _patience(error: Exception) -> bool | float:
    """Whether to try again: after the seconds that were asked for, else after the usual pause."""
    return isinstance(error, PassingError) and (error.wait or True)
