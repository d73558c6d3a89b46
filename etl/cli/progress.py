"""How far a command has come, on stderr: a bar on a terminal, plain lines elsewhere; when long, with the time left."""

import time
from collections.abc import Iterable, Iterator
from datetime import timedelta

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from etl.cli import output
from etl.result import Result

MANY = 20
"""Snapshots from which on not each is worth a line, and one wants to know how long it will take."""

PAUSE = 5.0
"""Seconds between two lines when there are many."""


class _Pace(ProgressColumn):
    """The rate and the time left."""

    def render(self, task: Task) -> Text:
        return Text(_pace(task))


def shown(results: Iterable[Result], *, total: int) -> Iterator[Result]:
    """The results as they come, shown on the way."""
    console = output.stderr()
    columns = (
        SpinnerColumn(),
        BarColumn(30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        *([_Pace()] if total > MANY else []),
        TextColumn("{task.fields[now]}"),
    )
    said = 0.0
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        number = bar.add_task("", total=total, now="")
        for count, result in enumerate(results, 1):
            bar.update(number, advance=1, now=_said(result))
            now = time.monotonic()
            if not console.is_terminal and (total <= MANY or count == total or now - said >= PAUSE):
                said = now
                output.note(_line(count, result, bar.tasks[0]))
            yield result


def _line(count: int, result: Result, task: Task) -> str:
    pace = _pace(task) if task.total and task.total > MANY else ""
    return f"[{count}/{task.total:.0f}] {_said(result)}" + (f", {pace}" if pace else "")


def _pace(task: Task) -> str:
    """Such as ``61.3/s, 0:02:10 left``, of the last half minute; nothing before that can be told."""
    speed = task.finished_speed or task.speed
    if not speed:
        return ""
    left = task.time_remaining
    return f"{speed:.1f}/s" + (f", {timedelta(seconds=round(left))} left" if left else "")


def _said(result: Result) -> str:
    return " ".join(filter(None, (result.source, output.cell(result.observed_at), result.status)))
