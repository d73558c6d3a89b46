"""The goals of the project, each with what was measured and whether that meets it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks._speed.race import Cells
from benchmarks._speed.scenarios import FIRST, LARGE, REORDERED, SAME, SMALL, Step
from benchmarks._speed.series import Series

RATIOS = {FIRST: 2.5, REORDERED: 0.2, SAME: 0.2, SMALL: 0.7, LARGE: 1.2}
"""How many times the limit a whole load may take."""

JUDGED = 100_000
"""The size at which the peers are compared."""

DLT = 5.0
FASTEST = 3.0
GROWTH = 1.2
RATE = 60.0
STARTUP = 0.3
BODIES = 6
BASE_BYTES = 150_000_000


@dataclass
class Results:
    """All that was measured: by size of the catalog its steps and cells, the two series, the start of a command."""

    races: dict[int, tuple[Sequence[Step], Cells]] = field(default_factory=dict)
    small: Series | None = None
    recorded: Series | None = None
    startup: float | None = None


@dataclass(frozen=True)
class Outcome:
    """One goal: what it asks, where it was measured, and what came out."""

    goal: str
    place: str
    measured: str
    is_met: bool

    @property
    def word(self) -> str:
        """Met or missed."""
        return "met" if self.is_met else "**missed**"


def outcomes(results: Results) -> Iterator[Outcome]:
    """Every goal that was measured."""
    for prices, (steps, cells) in results.races.items():
        yield from _ratios(f"{prices:,} prices", cells)
        yield _memory(f"{prices:,} prices", steps, cells)
    if JUDGED in results.races:
        yield from _peers(f"{JUDGED:,} prices", results.races[JUDGED][1])
    if results.small:
        place = f"{results.small.snapshots} small snapshots"
        yield _most("the last 20 of a series by the first 20", place, results.small.growth, GROWTH, "×")
        yield _verify(place, results.small)
    if results.recorded:
        place = f"{results.recorded.snapshots} recorded snapshots"
        rate = results.recorded.rate
        yield Outcome(f"backfill: at least {RATE:.0f} snapshots/s", place, f"{rate:.1f}/s", rate >= RATE)
        yield _verify(place, results.recorded)
    if results.startup is not None:
        yield _most("`etl run --help`", "", results.startup, STARTUP, "s")


def _ratios(place: str, cells: Cells) -> Iterator[Outcome]:
    for step, bound in RATIOS.items():
        measured = cells[step, "ours"].median / cells[step, "limit"].median
        yield _most(f"{step}, by the limit", place, measured, bound, "×")


def _memory(place: str, steps: Sequence[Step], cells: Cells) -> Outcome:
    worst = max(steps, key=lambda step: max(cells[step.name, "ours"].peak) / _allowed(step))
    peak, allowed = max(cells[worst.name, "ours"].peak), _allowed(worst)
    goal = f"peak memory: at most {BODIES} × the body + {BASE_BYTES / 1e6:.0f} MB"
    return Outcome(goal, place, f"{peak / 1e6:,.0f} of {allowed / 1e6:,.0f} MB", peak <= allowed)


def _allowed(step: Step) -> int:
    return BODIES * step.size + BASE_BYTES


def _peers(place: str, cells: Cells) -> Iterator[Outcome]:
    for step in (FIRST, SMALL):
        ours = cells[step, "ours"].median
        others = _others(cells, step)
        if "dlt" in others:
            yield _least(f"{step}: faster than dlt's default", place, others["dlt"] / ours, DLT)
        if others:
            name = min(others, key=lambda each: others[each])
            yield _least(f"{step}: faster than the fastest peer ({name})", place, others[name] / ours, FASTEST)


def _others(cells: Cells, step: str) -> Mapping[str, float]:
    return {name: cell.median for (at, name), cell in cells.items() if at == step and name not in ("ours", "limit")}


def _verify(place: str, series: Series) -> Outcome:
    return _most("`etl verify` by the backfill", place, series.verify / series.backfill, 1.0, "×")


def _most(goal: str, place: str, measured: float, bound: float, unit: str) -> Outcome:
    return Outcome(f"{goal}: at most {bound:g} {unit}", place, f"{measured:.2f} {unit}", measured <= bound)


def _least(goal: str, place: str, measured: float, bound: float) -> Outcome:
    return Outcome(f"{goal}: at least {bound:g} ×", place, f"{measured:.2f} ×", measured >= bound)
