"""What was measured as text, for a terminal and for docs/performance.md, where it stands between two markers."""

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks._speed.environments import ROOT, pins
from benchmarks._speed.goals import Results, outcomes
from benchmarks._speed.race import Cells
from benchmarks._speed.scenarios import Step
from benchmarks._speed.series import Series

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"

_PACKAGES = ("sqlalchemy", "psycopg", "msgspec", "pydantic")


def table(results: Results) -> str:
    """Every figure, as one table of text."""
    lines: list[str] = []
    for steps, cells in results.races.values():
        lines += _race(steps, cells)
    if results.small:
        lines += _series("invented small snapshots", results.small)
        lines.append(f"  the last 20 take {results.small.growth:.2f} × the first 20 (medians; the very first left out)")
    if results.recorded:
        lines += _series("recorded snapshots", results.recorded)
    if results.startup is not None:
        lines += ["", f"etl run --help: {results.startup:.2f} s (median)"]
    return "\n".join(lines).strip("\n") + "\n"


def _race(steps: Sequence[Step], cells: Cells) -> Iterator[str]:
    rounds = len(next(iter(cells.values())).seconds)
    yield ""
    yield f"{steps[0].prices:,} prices, {steps[0].size / 1e6:.1f} MB, median of {rounds}"
    yield f"{'':24} {'':13} {'seconds':>8} {'× limit':>8} {'peak MB':>8} {'rows':>9} {'disk MB':>8}"
    for step in steps:
        limit = cells[step.name, "limit"].median
        for (at, name), cell in cells.items():
            if at == step.name:
                yield (
                    f"{step.name:24} {name:13} {cell.median:8.3f} {cell.median / limit:8.2f}"
                    f" {max(cell.peak) / 1e6:8.0f} {cell.rows:9,} {max(*cell.growth, 0) / 1e6:8.1f}"
                )


def _series(what: str, series: Series) -> Iterator[str]:
    yield ""
    yield f"{series.snapshots} {what}, {series.bytes / series.snapshots / 1000:.0f} KB each"
    yield (
        f"  backfill {series.backfill:.1f} s: {series.rate:.1f} snapshots/s (the limit: {series.floor_rate:.1f});"
        f" verify {series.verify:.1f} s; the database grew by {series.disk / 1e6:.1f} MB"
    )


def goals(results: Results) -> str:
    """The goals with what was measured, as a table of Markdown."""
    rows = [f"| {each.goal} | {each.place} | {each.measured} | {each.word} |" for each in outcomes(results)]
    return "\n".join(["| goal | where | measured | |", "|---|---|---|---|", *rows]) + "\n"


def versions(postgres: str) -> str:
    """What was measured, on what, in one paragraph."""
    return f"{machine(postgres)}; peers: {', '.join(dict.fromkeys(pins('dlt') + pins('dbt')))}.\n"


def machine(postgres: str) -> str:
    """The commit, the day, the machine and our packages."""
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    return (
        f"Commit {_commit()}, {datetime.now(UTC):%Y-%m-%d}. Python {platform.python_version()}, Postgres {postgres},"
        f" {_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release().split('-')[0]}; {packages}"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _commit() -> str:
    """The commit of the checkout, marked when files differ from it."""
    told = [
        subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603, S607
        for words in (("rev-parse", "--short", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
    ]
    return (told[0] or "unknown") + (" with changes" if told[1] else "")


def write(file: Path, block: str, markers: tuple[str, str] = (BEGIN, END)) -> None:
    """Put the block between the markers of a document. Raises ``ValueError`` when it has none."""
    before, begin, rest = file.read_text(encoding="utf-8").partition(markers[0])
    _, end, after = rest.partition(markers[1])
    if not end:
        raise ValueError(f"{file} has no {' … '.join(markers)}")
    file.write_text(f"{before}{begin}\n{block}\n{end}{after}", encoding="utf-8")
