"""The story that the bundled catalogs tell, played into a warehouse by the real extractors and the real pipeline.

Its sources have names of their own (``demo_…``), so that samples never mix with what was really pulled.
"""

from collections.abc import Generator
from datetime import datetime
from typing import Any

from etl.demo.questions import QUESTIONS, Question
from etl.demo.samples import RECORDS, STEPS
from etl.demo.server import ANSWERS, CREDENTIALS, Gateways
from etl.domain.snapshot import Origin, Page, Snapshot
from etl.errors import SourceError
from etl.extract.client import Limits, Secret
from etl.extract.walk import Outcome, fetch_snapshot
from etl.fetch import validators_of
from etl.load import acceptance
from etl.pipeline import Pipeline
from etl.result import Result
from etl.sources.base import Source
from etl.sources.registry import kinds

__all__ = ["QUESTIONS", "SNAPSHOTS", "STEPS", "Question", "play", "sources"]

PAGE_SIZES = {"phaseo": 4}
"""Smaller than the sample catalog, so that a walk has several pages."""

SNAPSHOTS = len(STEPS) * len(RECORDS)

LIMITS = Limits(timeout_seconds=20, max_attempts=2)
"""Who does not answer on loopback at once never will: no use in the patience that a distant gateway deserves."""


ACCEPTED_AT = STEPS[2]
"""Of two prices that slip by a zero somebody accepts one, and withdraws that when the gateway has corrected both."""

ACCEPTED_BY = "demo"


def sources() -> tuple[Source[Any], ...]:
    """The sources of the demo, one of each kind that is played."""
    return tuple(
        kinds()[kind](f"demo_{kind}", path=ANSWERS[kind].path, page_size=PAGE_SIZES.get(kind)) for kind in RECORDS
    )


def play(pipeline: Pipeline) -> Generator[Result, None, None]:
    """Take a snapshot of each source at each step; the results come in that order, ``SNAPSHOTS`` of them.

    What was observed is dated by the story, when we came to know it by the pipeline's clock. A warehouse that has
    the story already recognises every snapshot, and nothing in it changes.
    """
    cast = [(source, _Visitor(source)) for source in sources()]
    with Gateways() as gateways:
        for gateways.step, moment in enumerate(STEPS):
            for source, visitor in cast:
                yield _take(pipeline, source, visitor.visit(gateways, moment), moment)
            if moment == ACCEPTED_AT:
                _accept(pipeline)
    pipeline.settle()
    _withdraw(pipeline)


def _accept(pipeline: Pipeline) -> None:
    """Accept the dearest of the suspect prices, if there is one: a story that is told again has none at this time."""
    pipeline.settle()
    with pipeline.engine.begin() as connection:
        found = acceptance.suspects(connection, "demo_bifrost")
        ids = [max(found, key=lambda row: row["unit_price"])["suspect_id"]] if found else []
        acceptance.accept(connection, ids, by=ACCEPTED_BY, why="their price page says so, too", now=pipeline.clock())


def _withdraw(pipeline: Pipeline) -> None:
    with pipeline.engine.begin() as connection:
        ids = [row["suspect_id"] for row in acceptance.accepted(connection, "demo_bifrost")]
        acceptance.withdraw(connection, ids, by=ACCEPTED_BY, now=pipeline.clock())


class _Visitor:
    """Who asks one gateway again and again, and remembers what it last said."""

    def __init__(self, source: Source[Any]) -> None:
        self._source = source
        self._latest: Page | None = None

    def visit(self, gateways: Gateways, moment: datetime) -> Outcome:
        """Walk the catalog as it is now, as if at that moment."""
        outcome = fetch_snapshot(
            self._source,
            url=gateways.url(self._source.kind),
            clock=lambda: moment,
            secret=_secret(self._source),
            limits=LIMITS,
            validators=validators_of(self._latest),
        )
        self._latest = outcome.pages[0] if outcome.error is None else None
        return outcome


def _secret(source: Source[Any]) -> Secret | None:
    """What the sample gateway demands, sent as the real one would be sent its key."""
    if source.credential is None or source.kind not in CREDENTIALS:
        return None
    value = source.credential.prefix + CREDENTIALS[source.kind]
    return Secret(header=source.credential.header, value=value, variable="the demo")


def _take(pipeline: Pipeline, source: Source[Any], outcome: Outcome, moment: datetime) -> Result:
    """Land and load one walk. Whatever goes wrong stays with its source."""
    snapshot = Snapshot(
        source=source.name, kind=source.kind, observed_at=moment, origin=Origin.RUN, pages=outcome.pages
    )
    try:
        return pipeline.take(source, snapshot, outcome.error)
    except SourceError as error:
        return Result(source=source.name, status="failed", observed_at=moment, error=str(error))
