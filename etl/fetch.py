"""A configured source as a walk: url, secret, limits, and what the server gave last time to be asked with."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from etl.config import ConfiguredSource, Settings
from etl.domain.snapshot import Page
from etl.extract.client import Limits, Secret, Validators
from etl.extract.walk import Outcome, fetch_snapshot
from etl.telemetry import span


def fetch(
    configured: ConfiguredSource, settings: Settings, latest: Page | None, clock: Callable[[], datetime], limits: Limits
) -> Outcome:
    """Walk a source once. ``latest`` is the first page of its last good snapshot, whose validators are offered."""
    bounds = replace(
        limits,
        timeout_seconds=configured.settings.timeout_seconds,
        max_page_bytes=settings.max_page_bytes,
        max_pages=settings.max_pages,
    )
    with span("etl.walk", source=configured.name) as work:
        outcome = fetch_snapshot(
            configured.source,
            url=configured.url,
            clock=clock,
            secret=secret_of(configured),
            limits=bounds,
            ca_file=settings.ca_file,
            validators=validators_of(latest),
        )
        work.tell(pages=len(outcome.pages), bytes=sum(len(page.body) for page in outcome.pages))
        if outcome.error is not None:
            work.fail(outcome.error)
        return outcome


def secret_of(configured: ConfiguredSource) -> Secret | None:
    """The header that the gateway wants.

    Raises ``ConfigurationError`` for a value that no header can carry, and for one that others could read on its way.
    """
    configured.require_private()
    credential = configured.source.credential
    if credential is None or configured.secret is None:
        return None
    value = credential.prefix + configured.secret
    return Secret(header=credential.header, value=value, variable=str(configured.credential))


def validators_of(page: Page | None) -> Validators | None:
    """What the server gave with a page, so that it can answer: not modified."""
    if page is None or not {"etag", "last-modified"} & page.headers.keys():
        return None
    etag, last_modified = page.headers.get("etag"), page.headers.get("last-modified")
    return Validators(url=page.url, etag=etag, last_modified=last_modified, body=page.body)
