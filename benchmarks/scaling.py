"""What do a snapshot, a version and a gigabyte cost, and what does that make of 1,000 sources for five years?

On a server of its own: a small warehouse, then the same one with the history of hundreds of sources around it, which
is simulated. The figures and what follows from them stand in docs/scaling.md, where `--write` puts them.
"""

import argparse
import logging
import sys

import structlog
from sqlalchemy import text

from benchmarks._scaling import report
from benchmarks._scaling.costs import measure
from benchmarks._server import warehouse
from benchmarks._speed.environments import ROOT
from benchmarks._speed.report import machine, write

DOCUMENT = ROOT / "docs" / "scaling.md"


def main(*options: str) -> None:
    """Measure, compute, print, and write where asked to."""
    asked = _parser().parse_args(options)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with warehouse() as engine:
        costs = measure(engine, _say)
        with engine.connect() as connection:
            postgres = str(connection.scalar(text("SHOW server_version")))
    versions, measured, computed = f"{machine(postgres)}.\n", report.measured(costs), report.computed(costs)
    sys.stdout.write(f"{versions}\n{measured}\n{computed}")
    if asked.write:
        block = f"{versions}\nMeasured:\n\n```text\n{measured}```\n\nComputed:\n\n```text\n{computed}```\n"
        write(DOCUMENT, block, report.MARKERS)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks scaling", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/scaling.md")
    return parser
