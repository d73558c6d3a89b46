"""What commands print: tables for people, one JSON document for programs; everything else goes to stderr."""

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE = 240
"""Columns of a table that no terminal limits: piped output is never cut."""

_JSON = msgspec.json.Encoder(decimal_format="number", enc_hook=str)


def stderr() -> Console:
    """Where progress, warnings and errors go."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, title: str | None = None) -> None:
    """Print rows as a table."""
    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=WIDE)
    grid = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(cell(row.get(column))) for column in columns))
    console.print(grid)


def json_document(value: Any) -> None:
    """Print one JSON document; amounts are exact numbers, times ISO 8601."""
    sys.stdout.write(msgspec.json.format(_JSON.encode(_jsonable(value)), indent=2).decode() + "\n")


def json_lines(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print one JSON object on each line."""
    for row in rows:
        sys.stdout.write(_JSON.encode(_jsonable(row)).decode() + "\n")


def comma_separated(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print CSV with a header line; null is an empty field."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell(row.get(column)) for column in columns] for row in rows)


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
