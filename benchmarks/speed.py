"""How fast is a catalog loaded, beside what Postgres can do at best and beside others who keep history?

On a server of its own. The figures, what they mean and the goals stand in docs/performance.md, where `--write` puts
them. All histories of a step are compared before its times count.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks._server import warehouse
from benchmarks._speed import report, series
from benchmarks._speed.chart import chart
from benchmarks._speed.contenders import LIMIT, OURS, Contender, peers
from benchmarks._speed.databases import Databases
from benchmarks._speed.environments import ROOT
from benchmarks._speed.goals import JUDGED, Results
from benchmarks._speed.race import race
from benchmarks._speed.scenarios import steps

REPEATS = {5_000: 5, 100_000: 3, 1_000_000: 1}
"""The sizes of the catalogs, and how often each is loaded."""

LARGEST_OF_PEERS = 100_000
"""Beyond it the peers take minutes for each load: only with `--full`."""

SNAPSHOTS = 200
RECORDED_SNAPSHOTS = 300

DOCUMENT = ROOT / "docs" / "performance.md"
CHART = ROOT / "docs" / "performance.svg"


def main(*options: str) -> None:
    """Measure, print, and write where asked to."""
    asked = _parser().parse_args(options)
    others = [] if asked.no_peers else list(peers())
    with warehouse() as engine, tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        databases = Databases(engine)
        results = Results()
        for prices in asked.prices or REPEATS:
            contenders = [OURS, LIMIT, *(others if asked.full or prices <= LARGEST_OF_PEERS else ())]
            _race(databases, contenders, prices, asked.repeats or REPEATS.get(prices, 3), results)
        if not asked.prices:
            results.startup = series.startup()
            results.small = series.small(databases, Path(folder) / "small", SNAPSHOTS)
            results.recorded = series.recorded(databases, Path(folder) / "recorded", RECORDED_SNAPSHOTS)
        postgres = databases.version()
    _tell(results, postgres, is_written=asked.write)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks speed", description=__doc__)
    parser.add_argument("--prices", type=int, action="append", help="only a catalog of this size; may be repeated")
    parser.add_argument("--repeats", type=int, help="rounds of each size")
    parser.add_argument("--no-peers", action="store_true", help="only the pipeline and the limit")
    parser.add_argument("--full", action="store_true", help="the peers load the largest catalog, too")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/performance.md and its chart")
    return parser


def _race(databases: Databases, contenders: list[Contender], prices: int, repeats: int, results: Results) -> None:
    """Measure one size. Its bodies are gone afterwards: those of the largest take gigabytes."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        found = steps(prices, Path(folder))
        results.races[prices] = found, race(databases, contenders, found, repeats)


def _tell(results: Results, postgres: str, *, is_written: bool) -> None:
    text, versions, goals = report.table(results), report.versions(postgres), report.goals(results)
    sys.stdout.write(f"{versions}\n{text}\n{goals}")
    if is_written:
        charted = JUDGED if JUDGED in results.races else max(results.races)
        CHART.write_text(chart(*results.races[charted]), encoding="utf-8")
        report.write(DOCUMENT, f"{versions}\n```text\n{text}```\n\n![The chart of it](performance.svg)\n\n{goals}")
