"""How fast is a catalog loaded, beside what Postgres can do at best and beside others who keep history?

On a server of its own. The figures, what they mean and the goals stand in docs/performance.md.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks._server import warehouse
from benchmarks.speed.contenders import LIMIT, OURS
from benchmarks.speed.databases import Databases
from benchmarks.speed.race import Cells, race
from benchmarks.speed.scenarios import Step, steps

REPEATS = {5_000: 5, 100_000: 3, 1_000_000: 1}


def main(*options: str) -> None:
    """Measure and print."""
    asked = _parser().parse_args(options)
    contenders = (OURS, LIMIT)
    with warehouse() as engine, tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        databases = Databases(engine)
        for prices in asked.prices or sorted(REPEATS):
            found = steps(prices, Path(folder))
            cells = race(databases, contenders, found, asked.repeats or REPEATS.get(prices, 3))
            _print(cells, found, [each.name for each in contenders])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks speed")
    parser.add_argument("--prices", type=int, action="append", help="size of the catalog; may be repeated")
    parser.add_argument("--repeats", type=int, help="rounds of each size")
    return parser


def _print(cells: Cells, found: Sequence[Step], names: Sequence[str]) -> None:
    sys.stdout.write(
        f"\n{found[0].prices:,} prices, {found[0].size / 1e6:.1f} MB\n"
        f"{'':24} {'':12} {'seconds':>9} {'x limit':>8} {'peak MB':>8} {'rows':>9} {'disk MB':>8}\n"
    )
    for step in found:
        for name in names:
            cell, best = cells[step.name, name], cells[step.name, "limit"]
            sys.stdout.write(
                f"{step.name:24} {name:12} {cell.median:9.3f} {cell.median / best.median:8.2f}"
                f" {max(cell.peak) / 1e6:8.0f} {cell.rows:9,} {max(cell.growth) / 1e6:8.1f}\n"
            )
    sys.stdout.flush()
