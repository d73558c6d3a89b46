"""What was measured of one machine, in figures for each snapshot, each row and each gigabyte."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import Connection, Engine, text

from benchmarks._scaling import years
from benchmarks._scaling.life import CHANGED, COUNTS, NAMES, SAME, Life, Phase, bodies
from benchmarks._scaling.meter import Cost, Meter, Sizes
from benchmarks.questions import Answer, Question, ask

PER_SNAPSHOT = ("raw.snapshot", "raw.page", "core.snapshot", "core.run", "core.slot")
"""The tables that get a row for each snapshot, whatever it shows."""

DERIVED = ("core.price_change", "core.catalog_change")

AGAIN = {SAME: 40, CHANGED: 20}
"""What is measured once more in the large warehouse, and how many snapshots of it."""

QUESTIONS = (
    Question("prices in force of one source", "SELECT * FROM mart.price_current WHERE source = 'copy-1'"),
    Question("all prices in force, counted", "SELECT count(*) FROM mart.price_current"),
    Question(
        "prices of one source as of a moment",
        "SELECT * FROM mart.price_as_of('2026-01-01 03:00Z') WHERE source = 'copy-1'",
    ),
    Question(
        "versions of one source that held at that moment",
        "SELECT * FROM mart.price_history WHERE source = 'copy-1' AND valid_from <= '2026-01-01 03:00Z'"
        " AND (valid_to IS NULL OR valid_to > '2026-01-01 03:00Z')",
    ),
    Question("what a source changed", "SELECT * FROM mart.price_change WHERE source = 'copy-1'"),
    Question("health of every source", "SELECT * FROM mart.source_health"),
)


@dataclass
class Costs:
    """Everything that was measured. ``rows`` and ``sizes`` are of the large warehouse, by table."""

    phases: dict[str, Phase] = field(default_factory=dict)
    verified: dict[str, Cost] = field(default_factory=dict)
    again: dict[str, Phase] = field(default_factory=dict)
    linked: Cost = field(default_factory=Cost)
    rows: dict[str, int] = field(default_factory=dict)
    sizes: Sizes = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)

    def row_bytes(self, table: str) -> float:
        """What a row of a table takes, with its share of the indexes."""
        return self.sizes[table] / max(self.rows[table], 1)

    @property
    def snapshot_bytes(self) -> float:
        """What a snapshot takes although nothing is new in it."""
        return sum(self.row_bytes(table) for table in PER_SNAPSHOT)

    def read(self, what: str) -> float:
        """Bytes that the proof of a phase read: those of its first load, too."""
        return (self.phases[what].snapshots + 1) * self.phases[what].body


def measure(engine: Engine, tell: Callable[[str], None]) -> Costs:
    """Measure a small warehouse, simulate a large one around it, and measure that."""
    costs, meter = Costs(), Meter(engine)
    lives = dict(_small(engine, meter, costs, tell))
    tell(f"{years.SOURCES} sources and {years.SOURCES * years.SNAPSHOTS:,} snapshots, simulated …")
    years.simulate(engine)
    costs.sizes = meter.sizes()
    with engine.connect() as connection:
        costs.rows = {table: _count(connection, table) for table in costs.sizes}
        costs.answers = {question.title: ask(connection, question) for question in QUESTIONS}
    life, stream = lives[SAME]
    with meter.measured() as costs.linked:
        life.pipeline.settle()
    for what, count in AGAIN.items():
        tell(f"{what}, among them …")
        life, stream = lives[what]
        costs.again[what] = life.measured(meter, islice(stream, count))
    return costs


def _small(
    engine: Engine, meter: Meter, costs: Costs, tell: Callable[[str], None]
) -> Iterator[tuple[str, tuple[Life, Iterator[bytes]]]]:
    """Measure each phase and its proof; gives the sources, and what comes next of each."""
    for what, count in COUNTS.items():
        stream = bodies(what)
        first = next(stream, None)
        if first is None:
            tell(f"{what}: nothing is recorded beside the checkout, skipped")
            continue
        tell(f"{what} …")
        life = Life(engine, NAMES[what])
        life.begin(first)
        costs.phases[what] = life.measured(meter, islice(stream, count))
        with meter.measured() as cost:
            life.verify()
        costs.verified[what] = cost
        yield what, (life, stream)


def _count(connection: Connection, table: str) -> int:
    return int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)  # noqa: S608  names of ours
