"""How far a command has come: a bar on a terminal, a plain line for each snapshot elsewhere; both on stderr."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from etl.cli import output

if TYPE_CHECKING:
    from etl.result import Result


def shown(results: Iterable["Result"], *, total: int) -> Iterator["Result"]:
    """The results as they come, each shown on the way."""
    return _moving(results, total) if output.stderr().is_terminal else _in_lines(results, total)


def _in_lines(results: Iterable["Result"], total: int) -> Iterator["Result"]:
    for count, result in enumerate(results, 1):
        output.note(f"[{count}/{total}] {_said(result)}")
        yield result


def _moving(results: Iterable["Result"], total: int) -> Iterator["Result"]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        BarColumn(30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[now]}"),
    )
    with Progress(*columns, console=output.stderr(), transient=True) as bar:
        task = bar.add_task("", total=total, now="")
        for result in results:
            bar.update(task, advance=1, now=_said(result))
            yield result


def _said(result: "Result") -> str:
    return " ".join(filter(None, (result.source, output.cell(result.observed_at), result.status)))
