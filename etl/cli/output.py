"""What commands print: tables for people, one JSON document for programs; everything else goes to stderr."""

import csv
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from etl.cli.lettering import legible, legible_lines
from etl.concealment import redacted
from etl.spoken import WITHDRAWN

if TYPE_CHECKING:
    from rich.console import Console

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
        stderr().print(legible_lines(redacted(line)), markup=False)


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


Style: TypeAlias = Callable[[Mapping[str, Any]], str]
"""What is said of a row by colour, beside what it says in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a table looks on a terminal; the words say the same without it.

    ``paint`` gives for a column the style of its value in a row, ``right`` the columns of figures that stand among
    words. On a terminal that has no room for all of a row, the columns ``first`` are kept together, and what is
    ``implied`` by these is left unsaid.
    """

    paint: Mapping[str, Style] = field(default_factory=dict)
    right: Collection[str] = ()
    first: Sequence[str] = ()
    implied: Callable[[Mapping[str, Any], str], bool] = lambda _row, _column: False


PLAIN = Look()


def words(column: str, colours: Mapping[str, str]) -> Style:
    """The style of a column of a few words."""
    return lambda row: colours.get(str(row[column]), "")


def moves(column: str) -> Style:
    """The style of a move of a price: green when it got cheaper, red when dearer, yellow when that may be a mistake.

    What is no longer believed is dim.
    """
    return lambda row: _style_of_move(row.get(column) or "")


def _style_of_move(said: str) -> str:
    if said.startswith(WITHDRAWN):
        return "dim"
    if said.endswith("(suspect)"):
        return "yellow"
    if said.startswith(("decreased", "-")):
        return "green"
    return "red" if said.startswith(("increased", "+", "x")) else ""


def table(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, title: str | None = None, look: Look = PLAIN
) -> None:
    """Print rows as a table: every column and no style in a pipe, and on a terminal as much as it has room for."""
    from etl.cli import grid

    grid.show(list(rows), columns, title, look)


def lines(*said: str) -> None:
    """Print lines for people, in which names from elsewhere may stand."""
    sys.stdout.writelines(f"{legible(line)}\n" for line in said)


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


def comma_separated(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, is_raw: bool = False) -> None:
    """Print CSV with a header line; amounts are exact, times ISO 8601, null is an empty field.

    Unless it ``is_raw``, a text is one that a spreadsheet and a terminal only show.
    """
    # A carriage return in a name would else end a row: before Python 3.13 it is no reason to quote a field.
    writer = csv.writer(sys.stdout, lineterminator="\n", quoting=csv.QUOTE_ALL if is_raw else csv.QUOTE_MINIMAL)
    writer.writerow(columns)
    field = _field if is_raw else _harmless
    writer.writerows([field(row.get(column)) for column in columns] for row in rows)


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


def _field(value: Any) -> str:
    """One value for a program."""
    return value.isoformat() if isinstance(value, datetime) else cell(value)


def _harmless(value: Any) -> str:
    """One value for a spreadsheet, which takes ``=HYPERLINK(…)`` for a formula unless ``'`` begins it."""
    if not isinstance(value, str):
        return _field(value)
    return f"'{legible(value)}" if value.startswith(_FORMULA) else legible(value)


_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a formula begins, for some programs also in full width."""


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
