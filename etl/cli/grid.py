"""Tables for people: whole in a pipe; on a terminal in its colours, and never wider than it is.

Where a terminal is too narrow, columns that say nothing are left out first. What then still has no room stands below
its row, in lines of its own.
"""

import io
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.cells import cell_len
from rich.console import Console, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from etl.cli.lettering import legible, legible_lines
from etl.cli.output import Look, cell

WIDE = 100_000
"""Columns of a table that no terminal limits: piped output is never folded."""

_SHORT = 20
"""Columns up to the width of a moment are kept on one line; where a terminal is too narrow, the longer ones fold."""

_LONG = 32
"""Words up to the length of most ids are never broken."""

_GAP = "  "
_INDENT = "    "
_BETWEEN = " · "

Row = Mapping[str, Any]


def show(rows: Sequence[Row], columns: Sequence[str], title: str | None, look: Look) -> None:
    """Print rows as a table."""
    console = stdout()
    if title:
        console.print(Text(legible_lines(title), style="bold"))
    for part in _parts(rows, columns, look, console.width):
        console.print(part)
    deliver(console)


def stdout() -> Console:
    """The terminal, or where everything is gathered for a pipe or a file; without any style where NO_COLOR says so."""
    console = _stdout()
    return Console(file=console.file, width=console.width, color_system=None) if console.no_color else console


def deliver(console: Console) -> None:
    """Hand over what was gathered for a pipe or a file."""
    if isinstance(console.file, io.StringIO):
        sys.stdout.writelines(f"{line.rstrip()}\n" for line in console.file.getvalue().splitlines())


def lines(rows: Sequence[Row], columns: Sequence[str], look: Look) -> Iterator[Text]:
    """A header and a line for each row, however wide that is."""
    shape = {column: (_width(rows, column), _justified(rows, column, look)) for column in columns}
    yield _line([_fixed(Text(column, style="bold"), *shape[column]) for column in columns])
    for row in rows:
        yield _line([_fixed(_text(row, column, look), *shape[column]) for column in columns])


def _stdout() -> Console:
    if sys.stdout.isatty():
        return Console(highlight=False)
    return Console(file=io.StringIO(), highlight=False, width=WIDE)


def _parts(rows: Sequence[Row], columns: Sequence[str], look: Look, width: int) -> Iterator[RenderableType]:
    if _least(rows, columns) <= width:
        yield _table(rows, columns, look, width)
        return
    telling = [column for column in columns if any(_tells(row.get(column)) for row in rows)]
    if _least(rows, telling) <= width:
        yield _table(rows, telling, look, width)
        return
    yield from _stacked(rows, telling, look, width)


def _table(rows: Sequence[Row], columns: Sequence[str], look: Look, width: int) -> Table:
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for column, room in _rooms(rows, columns, width).items():
        grid.add_column(column, overflow="fold", width=room, justify=_justified(rows, column, look))
    for row in rows:
        grid.add_row(*(_text(row, column, look) for column in columns))
    return grid


def _stacked(rows: Sequence[Row], columns: Sequence[str], look: Look, width: int) -> Iterator[RenderableType]:
    """As many columns as there is room for, those first that the table names; below each row what else it tells."""
    order = [column for column in look.first if column in columns]
    order += [column for column in columns if column not in order]
    count = max(1, sum(_sum(rows, order[: place + 1]) <= width for place in range(len(order))))
    head, *others = lines(rows, order[:count], look)
    yield head
    for line, row in zip(others, rows, strict=True):
        yield line
        told = (column for column in order[count:] if _tells(row.get(column)) and not look.implied(row, column))
        yield from _packed([_detail(row, column, look) for column in told], width)


def _packed(details: Sequence[Text], width: int) -> Iterator[Text]:
    """Lines that break between the details where they can."""
    line = Text(_INDENT)
    for detail in details:
        if len(line) > len(_INDENT):
            if line.cell_len + len(_BETWEEN) + detail.cell_len <= width:
                line.append(legible(_BETWEEN), style="dim")
            else:
                yield line
                line = Text(_INDENT)
        line.append_text(detail)
    if details:
        yield line


def _detail(row: Row, column: str, look: Look) -> Text:
    return Text.assemble((f"{column} ", "dim"), _text(row, column, look))


def _text(row: Row, column: str, look: Look) -> Text:
    paint = look.paint.get(column)
    return Text(legible(cell(row.get(column))), style=paint(row) if paint else "")


def _fixed(text: Text, width: int, justify: JustifyMethod) -> Text:
    room = width - text.cell_len
    text.pad_left(room) if justify == "right" else text.pad_right(room)
    return text


def _line(cells: Sequence[Text]) -> Text:
    line = Text(_GAP).join(cells)
    line.rstrip()
    return line


def _justified(rows: Sequence[Row], column: str, look: Look) -> JustifyMethod:
    """Numbers to the right, and what is told to be there."""
    present = [value for row in rows if (value := row.get(column)) is not None]
    is_number = bool(present) and {type(value) for value in present} <= {int, Decimal}
    return "right" if is_number or column in look.right else "left"


def _tells(value: object) -> bool:
    """Whether a value is worth its room on a narrow terminal: a count of nothing is not."""
    return value is not None and value != "" and not (type(value) is int and value == 0)


def _least(rows: Sequence[Row], columns: Collection[str]) -> int:
    """How narrow a table can be that folds only what is long."""
    return sum(_narrowest(rows, name) + len(_GAP) for name in columns) - len(_GAP)


def _rooms(rows: Sequence[Row], columns: Sequence[str], width: int) -> dict[str, int]:
    """The width of each column: what it needs at least, and of the rest first those that want little more."""
    rooms, spare = {name: _narrowest(rows, name) for name in columns}, width - _least(rows, columns)
    for name in sorted(columns, key=lambda name: _width(rows, name) - rooms[name]):
        more = min(spare, _width(rows, name) - rooms[name])
        rooms[name], spare = rooms[name] + more, spare - more
    return rooms


def _narrowest(rows: Sequence[Row], column: str) -> int:
    """What is short stays whole, and so do words that are not very long."""
    values = [legible(cell(row.get(column))) for row in rows]
    word = max((cell_len(word) for value in values for word in value.split()), default=0)
    return max(len(column), min(_longest(rows, column), max(_SHORT, min(word, _LONG))))


def _sum(rows: Sequence[Row], columns: Collection[str]) -> int:
    return sum(_width(rows, name) + len(_GAP) for name in columns) - len(_GAP)


def _width(rows: Sequence[Row], column: str) -> int:
    return max(len(column), _longest(rows, column))


def _longest(rows: Sequence[Row], column: str) -> int:
    return max((cell_len(legible(cell(row.get(column)))) for row in rows), default=0)
