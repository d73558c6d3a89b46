"""Loads the same bodies by every contender in turn, each load in a process of its own, and compares what they made."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks._speed.contenders import Contender
from benchmarks._speed.databases import Databases
from benchmarks._speed.environments import ROOT
from benchmarks._speed.scenarios import Step


@dataclass
class Cell:
    """What was measured of one contender in one step: of each repeat the seconds, the peak and the growth in bytes."""

    seconds: list[float] = field(default_factory=list)
    peak: list[int] = field(default_factory=list)
    growth: list[int] = field(default_factory=list)
    rows: int = 0
    """Rows written: versions that began or ended."""

    @property
    def median(self) -> float:
        """The median of the seconds."""
        return median(self.seconds)


Cells = dict[tuple[str, str], Cell]
"""By the name of the step and that of the contender."""


class UnequalError(Exception):
    """Contenders that made different histories of the same bodies: their times are of different things."""


def race(databases: Databases, contenders: Sequence[Contender], steps: Sequence[Step], repeats: int) -> Cells:
    """Measure all. Raises ``UnequalError`` before any time of a step counts in which two histories differ."""
    cells: Cells = {(step.name, each.name): Cell() for step in steps for each in contenders}
    for repeat in range(repeats):
        with databases.made(*contenders):
            for step in steps:
                _note(f"{step.prices:,} prices, round {repeat + 1} of {repeats}: {step.name}")
                measured = {each.name: _measure(databases, each, step) for each in contenders}
                _require_equal(databases, contenders, step)
                for name, one in measured.items():
                    cell = cells[step.name, name]
                    cell.seconds += one.seconds
                    cell.peak += one.peak
                    cell.growth += one.growth
                    cell.rows = one.rows
    return cells


def _measure(databases: Databases, contender: Contender, step: Step) -> Cell:
    databases.tidy(contender)
    size, rows = databases.bytes(contender), _written(databases, contender)
    file = step.rows if contender.reads_rows else step.body
    command = [*contender.command, databases.url(contender), str(file), step.observed_at.isoformat()]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603  our own programs
    if done.returncode:
        raise RuntimeError(f"{contender.name} failed at {step.name}")
    told = json.loads(done.stdout.splitlines()[-1])
    return Cell(
        seconds=[told["seconds"]],
        peak=[told["peak"]],
        growth=[databases.bytes(contender) - size],
        rows=_written(databases, contender) - rows,
    )


def _written(databases: Databases, contender: Contender) -> int:
    """Beginnings and ends in history: a version that ended was written twice."""
    return sum(each.rows if each.is_open else 2 * each.rows for each in databases.facts(contender))


def _require_equal(databases: Databases, contenders: Sequence[Contender], step: Step) -> None:
    found = {each.name: databases.facts(each) for each in contenders}
    first = next(iter(found.values()))
    for name, facts in found.items():
        if facts != first or facts[0].rows != step.prices:
            raise UnequalError(f"after {step.name}, of {step.prices} prices: {name} has {facts}, and the first {first}")


def _note(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
