"""Runs as the daemon makes them, but for the network: a slot is taken, the body landed and loaded, the run closed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice, repeat

from sqlalchemy import Engine

from benchmarks._scaling.meter import Cost, Meter
from benchmarks._speed import catalog, change
from benchmarks._speed.series import LEAST, PRICES, RECORDED
from etl.cron import Cron
from etl.domain.snapshot import Origin, Page, Snapshot
from etl.load import landing, ledger
from etl.load.ledger import Asking, Caller
from etl.pipeline import Pipeline
from etl.sources.helicone_registry import HeliconeRegistry

SAME = "unchanged, same bytes"
REORDERED = "unchanged, other order"
CHANGED = "1 % of the prices changed"
RECORDED_STEPS = "recorded catalogs, a step"

COUNTS = {SAME: 100, REORDERED: 60, CHANGED: 60, RECORDED_STEPS: 40}
"""Each way in which a snapshot can differ from the one before it, and how many such snapshots are measured."""

NAMES = {SAME: "same", REORDERED: "reordered", CHANGED: "changed", RECORDED_STEPS: "recorded"}
"""The source of each."""

EVERY = timedelta(minutes=5)

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_CRON = Cron("*/5 * * * *")
_URL = "/v1/public/model-registry/models"
_HEADERS = {
    "content-type": "application/json; charset=utf-8",
    "date": "Thu, 01 Jan 2026 00:00:00 GMT",
    "etag": 'W/"6c0f2-3fIhHnVr1y1W6kLzC8Vn0b9hU6E"',
    "cache-control": "public, max-age=60",
}
"""What a gateway would say; they are landed with each page."""


@dataclass
class Phase:
    """What so many snapshots cost, and the rows that they opened and closed. ``body`` is the mean of their bytes."""

    snapshots: int
    body: float
    load: Cost
    settle: Cost
    opened: int = 0
    closed: int = 0

    @property
    def packed(self) -> float:
        """What a body takes in the database, compressed: bytes."""
        return self.load.sizes["raw.content"] / self.snapshots

    def each(self, seconds: float) -> float:
        """Milliseconds for each snapshot."""
        return 1000 * seconds / self.snapshots


@dataclass
class Life:
    """One source of a warehouse, at five-minute intervals."""

    engine: Engine
    name: str
    now: datetime = _BEGIN
    pipeline: Pipeline = field(init=False)
    source: HeliconeRegistry = field(init=False)

    def __post_init__(self) -> None:
        """The clock of the pipeline is that of the invented life."""
        self.pipeline = Pipeline(self.engine, lambda: self.now)
        self.source = HeliconeRegistry(self.name)

    def begin(self, body: bytes) -> None:
        """Load the first catalog of the source, for no slot."""
        self.pipeline.take(self.source, self._snapshot(body))
        self.pipeline.settle()

    def run(self, body: bytes) -> tuple[int, int]:
        """One slot from its taking to its end, without what follows the loads; rows opened and closed.

        Raises ``RuntimeError`` when the snapshot was not taken.
        """
        self.now += EVERY
        asking = Asking(
            source=self.name, cron=_CRON, caller=Caller(kind="schedule", worker="bench:1"), is_due_only=True
        )
        with ledger.attending(self.engine, self.name, 600) as connection:
            if connection is None:
                raise RuntimeError(f"somebody else is at {self.name}")
            with connection.begin():
                begun = ledger.begin(connection, asking, self.now)
            if begun is None:
                raise RuntimeError(f"no slot of {self.name} is due at {self.now}")
            with self.engine.connect() as looking:
                landing.latest_page(looking, self.name)
            result = self.pipeline.take(self.source, self._snapshot(body), run_id=begun.run_id)
            if not result.is_well:
                raise RuntimeError(f"{self.name}: {result}")
            with self.engine.begin() as ending:
                ledger.end(ending, begun, outcome=result.status, error=None, now=self.now)
        return result.opened, result.closed

    def measured(self, meter: Meter, bodies: Iterable[bytes]) -> Phase:
        """Run once for each body, then settle as often as the daemon would."""
        taken, size, opened, closed = 0, 0, 0, 0
        with meter.measured() as load:
            for body in bodies:
                moves = self.run(body)
                taken, size, opened, closed = taken + 1, size + len(body), opened + moves[0], closed + moves[1]
        with meter.measured() as settle:
            for _ in range(taken):
                self.pipeline.settle()
        return Phase(taken, size / taken, load, settle, opened, closed)

    def verify(self) -> None:
        """Prove the history of the source. Raises ``RuntimeError`` when it is another."""
        verdict = self.pipeline.verify(self.source, is_applied=False, progress=lambda _done, _total: None)
        if not verdict.agrees:
            raise RuntimeError(f"the rebuilt history is another: {verdict}")

    def _snapshot(self, body: bytes) -> Snapshot:
        page = Page(number=1, url=_URL, status=200, body=body, fetched_at=self.now, headers=_HEADERS)
        return Snapshot(source=self.name, kind=self.source.kind, observed_at=self.now, origin=Origin.RUN, pages=(page,))


def bodies(what: str) -> Iterator[bytes]:
    """Bodies without end, each of which differs from the one before it in this way; none when there are none."""
    first = catalog.generate(PRICES)
    if what == SAME:
        return repeat(first.encoded())
    if what == REORDERED:
        return (change.reordered(first, seed).encoded() for seed in range(1_000_000))
    return _repriced(first) if what == CHANGED else _recorded()


def _repriced(body: catalog.Body) -> Iterator[bytes]:
    for seed in range(1_000_000):
        yield body.encoded()
        body = change.repriced(body, PRICES // 100, seed)


def _recorded() -> Iterator[bytes]:
    """The recorded catalogs that are about 400 KB, forth and back: each step is one that the registry really took."""
    found = [file.read_bytes() for file in sorted(RECORDED.glob("*.json")) if file.stat().st_size >= LEAST]
    parts = [catalog.taken_apart(body) for body in dict.fromkeys(found)]
    walk = cycle([*parts, *parts[-2:0:-1]]) if len(parts) > 1 else iter(())
    return (change.reordered(body, seed).encoded() for seed, body in enumerate(islice(walk, 1_000_000)))
