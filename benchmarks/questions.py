"""How long do typical questions take, over two years of hourly history with 10,000 prices in force?

The history is invented in the tables of a server of its own, the same at every run. Then the queries of the documents,
the questions of ``_typical.sql`` and every view that none of them names are asked; slower than 100 ms is marked.
"""

import re
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from benchmarks._server import warehouse
from etl.database.driver import run_script
from etl.load import history
from tests.docs.markdown import ROOT, headed, statements

HERE = Path(__file__).parent
DOCUMENTS = (ROOT / "README.md", ROOT / "docs" / "cookbook.md", ROOT / "docs" / "series.md")
BOUND_MS = 100
REPEATS = 3

_VIEWS = text(
    """
    SELECT c.relname FROM pg_class c
     WHERE c.relnamespace = 'mart'::regnamespace AND c.relkind IN ('v', 'm') ORDER BY c.relname
    """
)


@dataclass(frozen=True)
class Question:
    """A SELECT, where it comes from, and what it needs first: temporary tables and views of its own."""

    title: str
    sql: str
    setup: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """How many rows came, and the server's time to plan and to give them."""

    rows: int
    milliseconds: float


def main() -> None:
    """Invent the history, ask, and print one line for each question."""
    with warehouse() as engine:
        begun = time.perf_counter()
        invent(engine)
        sys.stdout.write(f"history invented in {time.perf_counter() - begun:.0f} s\n")
        sys.stdout.write(f"{'question':90} {'rows':>7} {'ms':>7}   median of {REPEATS}, warm\n")
        with engine.connect() as connection:
            for question in questions(connection):
                _print(question, ask(connection, question))


def invent(engine: Engine) -> None:
    """Fill a migrated, empty warehouse; what one script made is analysed before the next one reads it."""
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        for script in ("_history.sql", "_catalog.sql"):
            run_script(connection, (HERE / script).read_text(encoding="utf-8"))
            run_script(connection, "ANALYZE")
        connection.execute(text("SELECT core.refresh_basket(source) FROM core.source"))
    begun = time.perf_counter()
    with engine.begin() as connection:
        history.rederive(connection, datetime.now(UTC))
    sys.stdout.write(f"changes derived in {time.perf_counter() - begun:.0f} s\n")
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        # What a nightly autovacuum would have done.
        run_script(connection, "VACUUM ANALYZE")


def questions(connection: Connection) -> list[Question]:
    """Those of the documents, the typical ones, and every view that no other question names."""
    asked = [*_documented(), *_typical()]
    views = connection.scalars(_VIEWS).all()
    named = {name for question in asked for name in re.findall(r"mart\.(\w+)", question.sql)}
    return [*asked, *(Question(f"all of {view}", f"SELECT * FROM mart.{view}") for view in views if view not in named)]  # noqa: S608


def _documented() -> Iterator[Question]:
    for document in DOCUMENTS:
        for heading, block in headed(document, "sql"):
            before: list[str] = []
            for statement in statements(block.code):
                if re.match(r"(?:\s*--.*\n)*\s*(SELECT|WITH|TABLE)\b", statement, re.IGNORECASE):
                    yield Question(f"{document.stem}: {heading}", statement, tuple(before))
                else:
                    before.append(statement)


def _typical() -> Iterator[Question]:
    for part in (HERE / "_typical.sql").read_text(encoding="utf-8").split("\n\n"):
        title, _, sql = part.partition("\n")
        yield Question(title.removeprefix("-- "), sql.strip().rstrip(";"))


def ask(connection: Connection, question: Question) -> Answer:
    """Ask once to warm up, then a few times; one plan with its times is kept of each. What was set up is undone."""
    explain = text("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + question.sql.replace(":", r"\:"))
    for statement in question.setup:
        run_script(connection, statement)
    found = [connection.scalar(explain)[0] for _ in range(REPEATS + 1)][1:]
    connection.rollback()
    times = [each["Planning Time"] + each["Execution Time"] for each in found]
    return Answer(rows=int(found[0]["Plan"]["Actual Rows"]), milliseconds=statistics.median(times))


def _print(question: Question, answer: Answer) -> None:
    mark = "" if answer.milliseconds <= BOUND_MS else "  <- slow"
    sys.stdout.write(f"{question.title[:90]:90} {answer.rows:7,} {answer.milliseconds:7.1f}{mark}\n")
    sys.stdout.flush()
