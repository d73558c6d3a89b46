"""``etl status --check``: what is wrong with the sources, for cron, probes and monitoring."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import typer

from etl.cli import output


def conclude(rows: Iterable[Mapping[str, Any]]) -> None:
    """Say on stderr what is wrong with each enabled source, and end with 1 when anything is.

    Enabled is what the database has been told to be: whoever asks may have other variables than whoever runs.
    """
    wrong = [line for row in rows if row["is_recorded_enabled"] for line in complaints(row)]
    for line in wrong:
        output.note(f"etl: {line}")
    if wrong:
        raise typer.Exit(1)


def complaints(row: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with one source, a line each: which, what, what to do; nothing when all is well."""
    name = row["source"]
    match row["status"]:
        case "failing":
            yield f"{name}: failing, {_times(row['consecutive_failures'])}: {_said(name, row['last_error'])}"
        case "stale":
            yield f"{name}: stale, {_complete(row)}; see whether anything runs it: `etl snapshots --source {name}`"
        case "never" if row["is_overdue"]:
            age = output.cell(row["max_age"])
            yield f"{name}: never run, although scheduled for more than {age}; begin with `etl run {name}`"
    if row["held_snapshots"]:
        what = f"{row['held_snapshots']} held"
        yield f"{name}: {what}; decide by `etl snapshots release` or `reject`: `etl snapshots --source {name}`"
    if row["set_aside"]:
        yield f"{name}: {row['set_aside']}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times in a row"


def _said(name: str, error: str | None) -> str:
    """The last error, which names its source as this line does."""
    return " ".join((error or "no reason is known").removeprefix(f"{name}: ").split())


def _complete(row: Mapping[str, Any]) -> str:
    at = row["last_complete_at"]
    last = f"last complete at {output.cell(at)}" if at else "never complete"
    return f"{last}, may be {output.cell(row['max_age'])} old"
