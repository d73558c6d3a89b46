"""How far a command has come, on stderr: a bar on a terminal, plain lines elsewhere; when long, with the time left."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import TYPE_CHECKING

from etl.cli import output

if TYPE_CHECKING:
    from rich.progress import Progress, Task

    from etl.result import Result

MANY = 20
"""Snapshots from which on not each is worth a line, and one wants to know how long it will take."""

PAUSE = 5.0
"""Seconds between two lines when there are many."""


_BAR: "ContextVar[Progress | None]" = ContextVar("bar", default=None)


@contextmanager
def paused() -> Iterator[None]:
    """Keep the bar off the terminal while a person is asked something there."""
    bar = _BAR.get()
    if bar:
        bar.stop()
    try:
        yield
    finally:
        if bar:
            bar.start()


def shown(results: Iterable["Result"], *, total: int) -> Iterator["Result"]:
    """The results as they come, shown on the way."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = output.stderr()
    words = TextColumn("{task.fields[now]}")
    columns = (SpinnerColumn(), BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn(), words)
    said = 0.0
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        _BAR.set(bar)
        number = bar.add_task("", total=total, now="")
        for count, result in enumerate(results, 1):
            bar.update(number, advance=1)
            line = ", ".join(filter(None, (_said(result), _pace(bar.tasks[0]) if total > MANY else "")))
            bar.update(number, now=line)
            now = time.monotonic()
            if not console.is_terminal and (total <= MANY or count == total or now - said >= PAUSE):
                said = now
                output.note(f"[{count}/{total}] {line}")
            yield result


def _pace(task: "Task") -> str:
    """Such as ``61.3/s, 0:02:10 left``, by the last half minute; nothing before that can be told."""
    speed = task.finished_speed or task.speed
    if not speed:
        return ""
    left = task.time_remaining
    return f"{speed:.1f}/s" + (f", {timedelta(seconds=round(left))} left" if left else "")


def _said(result: "Result") -> str:
    return " ".join(filter(None, (result.source, output.cell(result.observed_at), result.status)))
