"""How long does a report take, and how large is it, over two years of hourly history with 10,000 prices in force?

The history is that of the questions. Each question of the report is timed by itself, then the page is made: once of the
usual 90 days, once of everything.
"""

import resource
import sys
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from benchmarks._server import warehouse
from benchmarks.questions import invent
from etl.database.engine import one_moment
from etl.report import sql
from etl.report.facts import MOST, QUESTIONS, Facts, read
from etl.report.page import page
from etl.report.scope import Asked, scope

YEARS = timedelta(days=2000)


def main() -> None:
    """Invent the history, and print a line for each question and each page."""
    with warehouse() as engine:
        invent(engine)
        now = datetime.now(UTC)
        _questions(engine, Asked(now=now))
        _page(engine, "90 days", Asked(now=now))
        _page(engine, "everything", Asked(now=now, since=now - YEARS))


def _questions(engine: Engine, asked: Asked) -> None:
    with one_moment(engine) as connection:
        values = scope(connection, asked).values
        for name in QUESTIONS:
            begun = time.perf_counter()
            rows = sql.rows(connection, name, values | {"most": MOST.get(name)})
            _print(name, f"{len(rows):7,} rows", begun)


def _page(engine: Engine, title: str, asked: Asked) -> None:
    begun = time.perf_counter()
    facts: Facts = read(engine, asked)
    _print(title, f"{len(facts.prices):7,} versions read", begun)
    begun = time.perf_counter()
    size = len(page(facts).encode())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    _print(title, f"{size / 1e6:7.2f} MB, peak memory {peak} MB", begun)


def _print(title: str, what: str, begun: float) -> None:
    sys.stdout.write(f"{title:12} {what:40} {time.perf_counter() - begun:7.2f} s\n")
    sys.stdout.flush()
