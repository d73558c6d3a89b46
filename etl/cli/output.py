"""What commands print: tables for people, one JSON document for programs; everything else goes to stderr."""

import csv
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from etl.concealment import redacted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

WIDE = 100_000
"""Columns of a table that no terminal limits: piped output is never folded."""

_SHORT = 20
"""Columns up to the width of a moment are kept on one line; where a terminal is too narrow, the longer ones fold."""

_JSON = msgspec.json.Encoder(decimal_format="number", enc_hook=str)


def stderr() -> "Console":
    """Where progress, warnings and errors go."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def note(line: str) -> None:
    """Say something beside the result, on stderr: a line for people, unless events alone were asked for."""
    from etl import log

    if log.is_whole():
        log.say(line)
    else:
        stderr().print(redacted(line), markup=False)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Say what takes a while: moving on a terminal, a plain line elsewhere."""
    console = stderr()
    if not console.is_terminal:
        note(f"{what} …")
        yield
        return
    with console.status(f"{what} …"):
        yield


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, when that is a terminal; gives who is told how many of how many are done."""
    from rich.progress import Progress

    console = stderr()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def table(
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[str],
    *,
    title: str | None = None,
    colours: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Print rows as a table; ``colours`` gives, for a column, those of its words on a terminal."""
    from rich.table import Table
    from rich.text import Text

    shown = list(rows)
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        _add_column(grid, column, [row.get(column) for row in shown])
    for row in shown:
        grid.add_row(*(_text(row.get(column), (colours or {}).get(column, {})) for column in columns))
    console = _stdout()
    if title:
        console.print(Text(title, style="bold"))
    console.print(grid)
    if isinstance(console.file, io.StringIO):
        sys.stdout.writelines(f"{line.rstrip()}\n" for line in console.file.getvalue().splitlines())


def text(document: str) -> None:
    """Print a text as it is."""
    sys.stdout.write(document)


def json_document(value: Any) -> None:
    """Print one JSON document; amounts are exact numbers, times ISO 8601."""
    sys.stdout.write(msgspec.json.format(_JSON.encode(_jsonable(value)), indent=2).decode() + "\n")


def json_lines(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print one JSON object on each line."""
    for row in rows:
        sys.stdout.write(_JSON.encode(_jsonable(row)).decode() + "\n")


def comma_separated(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print CSV with a header line; amounts are exact, times ISO 8601, null is an empty field."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_field(row.get(column)) for column in columns] for row in rows)


def cell(value: Any) -> str:
    """One value as a person reads it: plain decimals, times to the second, nothing for null."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S") + ("" if value.tzinfo is None else "Z")
        case _:
            return str(value)


def _text(value: Any, colours: Mapping[str, str]) -> "Text":
    from rich.text import Text

    shown = cell(value)
    return Text(shown, style=colours.get(shown, ""))


def _field(value: Any) -> str:
    """One value for a program."""
    return value.isoformat() if isinstance(value, datetime) else cell(value)


def _stdout() -> "Console":
    """The terminal, or where a whole table is gathered for a pipe or a file."""
    from rich.console import Console

    if sys.stdout.isatty():
        return Console(highlight=False)
    return Console(file=io.StringIO(), highlight=False, width=WIDE)


def _add_column(grid: "Table", name: str, values: Sequence[Any]) -> None:
    """Numbers to the right, and what is short on one line."""
    present = [value for value in values if value is not None]
    is_number = bool(present) and {type(value) for value in present} <= {int, Decimal}
    is_short = max((len(cell(value)) for value in present), default=0) <= _SHORT
    grid.add_column(name, overflow="fold", no_wrap=is_short, justify="right" if is_number else "left")


def _jsonable(value: Any) -> Any:
    match value:
        case Mapping():
            return {str(key): _jsonable(item) for key, item in value.items()}
        case list() | tuple():
            return [_jsonable(item) for item in value]
        case datetime():
            return value.isoformat()
        case _:
            return value
