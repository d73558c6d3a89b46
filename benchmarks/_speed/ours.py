"""The pipeline as a live run calls it once its body has arrived: land, read, load, and what follows a load."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from etl.database.engine import database_url, open_engine
from etl.domain.snapshot import Origin, Page, Snapshot
from etl.pipeline import Pipeline
from etl.sources.helicone_registry import HeliconeRegistry

SOURCE = HeliconeRegistry("bench")


def pipeline(url: str) -> Pipeline:
    """The line into the migrated warehouse at ``url``."""
    return Pipeline(open_engine(database_url(url)), lambda: datetime.now(UTC))


def snapshot(body: bytes, observed_at: datetime, origin: Origin = Origin.RUN) -> Snapshot:
    """One body as the only page of a walk."""
    page = Page(number=1, url="/v1/public/model-registry/models", status=200, body=body, fetched_at=observed_at)
    return Snapshot(source=SOURCE.name, kind=SOURCE.kind, observed_at=observed_at, origin=origin, pages=(page,))


def load(url: str, body: bytes, observed_at: datetime) -> None:
    """Put one body into history. Raises ``RuntimeError`` when it was not taken whole."""
    line = pipeline(url)
    result = line.take(SOURCE, snapshot(body, observed_at))
    line.settle()
    if not result.is_well or result.quarantined or result.unmapped:
        raise RuntimeError(f"the pipeline did not take the catalog whole: {result}")


def backfill(url: str, bodies: Iterable[tuple[bytes, datetime]]) -> Iterator[None]:
    """Load saved bodies in order; one turn for each. Raises ``RuntimeError`` when one was not taken."""
    snapshots = (snapshot(body, observed_at, Origin.BACKFILL) for body, observed_at in bodies)
    for result in pipeline(url).backfill(SOURCE, snapshots):
        if not result.is_well:
            raise RuntimeError(f"the pipeline did not take a snapshot: {result}")
        yield


def verify(url: str) -> None:
    """Rebuild history from the landed bytes and compare. Raises ``RuntimeError`` when it is another."""
    verdict = pipeline(url).verify(SOURCE, is_applied=False, progress=lambda _done, _total: None)
    if not verdict.agrees:
        raise RuntimeError(f"the rebuilt history is another: {verdict}")
