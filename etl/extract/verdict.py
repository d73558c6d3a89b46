"""What a reply means for us, and the one line that says so: source, url, what came, what to do."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from etl.concealment import Secrets
from etl.domain.snapshot import NOT_MODIFIED, Page
from etl.errors import AccessError, FetchError, SourceError
from etl.extract.limits import Limits
from etl.extract.secrets import Secret
from etl.extract.validators import Validators
from etl.extract.waits import retry_after
from etl.sources.base import Recourse, Refusal, Source

CHECK_URL = "check url and path of the source"

LONGEST = 1000
"""Characters of what came that a message repeats."""


class PassingError(Exception):
    """What came may be gone at the next attempt; ``wait`` is how many seconds the gateway asks for, 0 when it does not.

    ``came`` and ``advice`` are kept apart so that the last one can say how often it was tried.
    """

    def __init__(self, line: str, *, url: str, came: str, advice: str, wait: float = 0) -> None:
        super().__init__(line)
        self.url, self.came, self.advice, self.wait = url, came, advice, wait


@dataclass(frozen=True, slots=True)
class Judge:
    """Tells success from failure for one source, in words that hold none of ``secrets``."""

    source: Source[Any]
    secret: Secret | None
    secrets: Secrets
    limits: Limits
    clock: Callable[[], datetime]

    def line(self, url: str, came: str, advice: str) -> str:
        """One line about a failure; the url is not repeated where ``came`` has it."""
        place = "" if url in came else f"{url:.{LONGEST}}: "
        return self.secrets.hide(f"{self.source.name}: {place}{came[:LONGEST]}; {advice}")

    def passing(self, url: str, came: str, advice: str, wait: float = 0) -> PassingError:
        """A failure after which another attempt makes sense."""
        return PassingError(self.line(url, came, advice), url=url, came=came, advice=advice, wait=wait)

    def final(self, url: str, came: str, advice: str) -> FetchError:
        """A failure that another attempt would only repeat."""
        return FetchError(self.line(url, came, advice))

    def judge(self, page: Page, validators: Validators | None) -> Page:
        """The page when it is a success; a 304 is given the body that was vouched for.

        Raises ``PassingError``, ``AccessError`` or ``FetchError``.
        """
        if page.status == NOT_MODIFIED and validators is not None and validators.url == page.url:
            return dataclasses.replace(page, body=validators.body)
        if 200 <= page.status < 300:
            return page
        if page.status < 400:
            raise self.final(page.url, f"HTTP {page.status}, which was not asked for", CHECK_URL)
        raise self._refused(page, self.source.refusal(page))

    def _refused(self, page: Page, refusal: Refusal) -> SourceError | PassingError:
        match refusal.recourse:
            case Recourse.ACCESS:
                return AccessError(self.line(page.url, refusal.message, self._key_advice()))
            case Recourse.GIVE_UP:
                return self.final(page.url, refusal.message, CHECK_URL)
            case Recourse.RETRY:
                return self._busy(page, refusal)

    def _busy(self, page: Page, refusal: Refusal) -> SourceError | PassingError:
        """Try again, unless the gateway wants a longer wait than a walk can spare."""
        wait = max(0.0, float(refusal.retry_after or 0), retry_after(page.headers, self.clock()) or 0.0)
        if wait > self.limits.max_wait_seconds:
            came = f"{refusal.message}, and the wish that we wait {wait:.0f} s"
            most = f"a walk waits {self.limits.max_wait_seconds:g} s at most"
            return self.final(page.url, came, f"{most}: try again later")
        return self.passing(page.url, refusal.message, "the gateway is busy or ill: try again later", wait)

    def _key_advice(self) -> str:
        """What to do about a refused or missing credential; only the name of its variable is told."""
        if self.secret:
            return f"check the credential in {self.secret.variable}"
        if self.source.credential:
            return f"give it a credential in {self.source.credential.env}"
        return "this gateway wants a credential, and sources of this kind send none"
