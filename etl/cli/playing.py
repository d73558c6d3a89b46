"""Plays the bundled story and shows what came of it."""

import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from etl import spoken
from etl.cli import output, versions
from etl.cli.invocation import Session
from etl.cli.progress import shown
from etl.cli.pull import conclude, row_of
from etl.demo import story
from etl.domain.meters import Meter
from etl.load import changes as feed
from etl.load import log, models
from etl.result import Result

MOST = 25
"""Rows of changes that a newcomer reads."""

LOADED = ("source", "snapshots", "models", "prices", "changes")

TELLING = {"input_token": "input", "output_token": "output"}
"""The meters that everybody pays for."""

CHANGED = ("day", "where", "model", *TELLING.values(), "currency")
MOVED = output.Look(
    paint={shown: output.moves(f"{shown} change") for shown in TELLING.values()},
    first=("day", "where", "model"),
)

DRAWN = "deepseek/deepseek-chat"
"""The model whose price every gateway cut, one after the other."""

CHART = 24

READER = "db url --reader"

NEXT = {
    "report --open": "charts of all this, in one page for your browser",
    "changes --source demo_bifrost": "every change that one gateway made",
    "history deepseek-chat": "one model's prices at all gateways, with a chart of each",
    "db psql": "ask your own questions in SQL: the views are in the schema mart",
    READER: "the address for BI tools, which only reads",
    "run": "pull the real catalogs; two of the five need no key",
}


def play(current: Session, *, as_json: bool) -> None:
    """Play the story into the warehouse and print what came of it."""
    with current.engine.connect() as connection:
        results = list(shown(story.play(current.pipeline), total=story.SNAPSHOTS))
        changes = _changes(connection)
        if as_json:
            output.json_document({"snapshots": [row_of(result) for result in results], "changes": changes})
        else:
            _tell(connection, results, changes)
            _suggest(is_embedded=current.is_embedded)
    conclude(results)


def _tell(connection: Connection, results: Sequence[Result], changes: Sequence[dict[str, Any]]) -> None:
    """What was loaded, what changed, and what can be asked."""
    output.table(_loaded(connection, results, changes), LOADED, title="What was loaded")
    if not any(result.opened for result in results):
        output.lines("", "This warehouse had the story already: the same snapshots again change nothing.")
    _show(changes)
    _draw(connection)
    for question in story.QUESTIONS:
        rows = [dict(row) for row in connection.execute(text(question.sql)).mappings()]
        output.table(rows, list(rows[0]) if rows else [], title=f"\n{question.title}")


def _suggest(*, is_embedded: bool) -> None:
    """Print what to try next. Only the embedded server has a login for readers; on others `etl db grant` makes one."""
    output.lines("", "What to try next")
    for command, purpose in next_steps(is_embedded=is_embedded):
        output.lines(f"  {_program()} {command:<30} {purpose}")


def next_steps(*, is_embedded: bool) -> Iterable[tuple[str, str]]:
    """Return the commands to try next, with what each is for; only the embedded server knows its reader's url."""
    for command, purpose in NEXT.items():
        if command == READER and not is_embedded:
            yield "db grant USER", "let a login of your server read, for BI tools"
        else:
            yield command, purpose


def _changes(connection: Connection) -> list[dict[str, Any]]:
    """What changed in the story, in order of time, whether it was loaded now or earlier."""
    found = [row for source in story.sources() for row in feed.between(connection, source=source.name)]
    return sorted(found, key=lambda row: row["changed_at"])


def _loaded(
    connection: Connection, results: Iterable[Result], changes: Iterable[dict[str, Any]]
) -> Iterable[dict[str, Any]]:
    """For each source what came, and what is in force now."""
    told, changed = list(results), list(changes)
    for row in log.status(connection):
        mine = [result for result in told if result.source == row["source"]]
        if mine:
            yield row | {
                "snapshots": len(mine),
                "changes": sum(change["source"] == row["source"] for change in changed),
            }


def _show(changes: Sequence[dict[str, Any]]) -> None:
    """The changes that a newcomer understands at once; the others come and go with their models."""
    telling = [row for row in changes if row["cause"] == "price" and row["is_economic"] and row["meter"] in TELLING]
    rows = [_pair(list(group)) for _, group in groupby(sorted(telling, key=_offer), key=_offer)]
    output.table(rows[:MOST], CHANGED, title="\nWhat changed in price (per million tokens)", look=MOVED)
    output.lines(f"… {len(changes)} changes in all, with cached and other prices, and models that came and went")


def _draw(connection: Connection) -> None:
    """How one price went at all gateways of the story; nothing where their models could not be linked."""
    ours = {source.name for source in story.sources()}
    linked = [(each.source, each.model_id) for each in models.linked(connection, DRAWN) if each.source in ours]
    rows = [row for row in models.history(connection, linked) if row["meter"] == Meter.INPUT_TOKEN]
    if not rows:
        return
    seen = models.last_observed(connection, sorted(ours))
    first, last = versions.axis(rows, seen)
    draw = versions.charts(rows, seen, CHART)
    drawn = [_drawn(offer, draw(offer)) for offer in versions.offers(rows)]
    title = f"What {DRAWN.partition('/')[2]} cost from {first:%Y-%m-%d} to {last:%Y-%m-%d} (per million input tokens)"
    output.table(drawn, list(drawn[0]), title=f"\n{title}")


def _drawn(offer: Sequence[Mapping[str, Any]], chart: str) -> dict[str, str]:
    return {
        "where": versions.name(offer[0]),
        "first": versions.price(offer[0]),
        "over time": chart,
        "last": versions.price(offer[-1]),
    }


def _offer(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("changed_at", "source", "model_id", "provider", "tier_start", "currency"))


def _pair(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """One offer's changes of one moment in one row."""
    first = rows[0]
    tier = f" from {first['tier_start']} tokens" if first["tier_start"] else ""
    return {
        "day": f"{first['changed_at']:%Y-%m-%d}",
        "where": f"{first['source']}, {first['provider']}",
        "model": first["model_id"].rpartition("/")[2] + tier,
        "currency": first["currency"],
        **{TELLING[row["meter"]]: spoken.step(row) for row in rows},
        **{f"{TELLING[row['meter']]} change": row["change"] for row in rows},
    }


def _program() -> str:
    """How this program was called, where the shell would not find it by its name alone."""
    called, found = Path(sys.argv[0]), shutil.which("etl")
    is_found = found is not None and called.exists() and Path(found).samefile(called)
    return "etl" if is_found or called.name != "etl" else sys.argv[0]
