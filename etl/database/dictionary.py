"""The data dictionary: what the mart holds, in Markdown, read from the comments in the database.

Postgres keeps no comments on the columns of a function's result; their meaning comes from the mart's glossary.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Connection, text

from etl.database.mart import FOLDER

PREAMBLE = """# Data dictionary

What the schema `mart` holds. Generated from the comments in the database by `etl db dictionary`: do not edit.
Times are UTC, amounts are exact decimals, and a null means that there is no value: never zero, never free."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column of a view, or of what a function returns; ``comment`` is null where nobody said what it means."""

    name: str
    type: str
    comment: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One view or function of the mart; ``call`` is how a function is called, and null for a view."""

    name: str
    call: str | None
    comment: str | None
    columns: tuple[Column, ...]


def entries(connection: Connection) -> list[Entry]:
    """Every view and every function of the mart, in the order of their names, views first."""
    return [*_views(connection), *_functions(connection)]


def markdown(connection: Connection) -> str:
    """The whole dictionary."""
    return "\n\n".join([PREAMBLE, *map(_section, entries(connection))]) + "\n"


def _views(connection: Connection) -> Iterator[Entry]:
    rows = connection.execute(_VIEWS).all()
    for (name, comment), columns in groupby(rows, key=lambda row: (row.name, row.comment)):
        described = tuple(Column(name=row.column, type=row.type, comment=row.meaning) for row in columns)
        yield Entry(name=name, call=None, comment=comment, columns=described)


def _functions(connection: Connection) -> Iterator[Entry]:
    glossary = tomllib.loads((FOLDER / "glossary.toml").read_text(encoding="utf-8"))
    rows = connection.execute(_FUNCTIONS).all()
    for (name, arguments, result, comment), found in groupby(rows, key=lambda row: tuple(row[:4])):
        meanings = glossary["columns"] | glossary.get(name, {})
        columns = tuple(
            Column(name=row.column, type=row.type, comment=meanings.get(row.column)) for row in found if row.column
        )
        call = f"mart.{name}({arguments})" + ("" if columns else f" RETURNS {result}")
        yield Entry(name=name, call=_short(call), comment=comment, columns=columns)


def _section(entry: Entry) -> str:
    parts = [f"## `mart.{entry.name}`", entry.comment or ""]
    if entry.call:
        parts.append(f"```sql\n{entry.call}\n```")
    if entry.columns:
        lines = (f"| `{each.name}` | {_short(each.type)} | {_cell(each.comment)} |" for each in entry.columns)
        parts.append("\n".join(["| column | type | meaning |", "|---|---|---|", *lines]))
    return "\n\n".join(parts)


def _short(types: str) -> str:
    """Types as people write them."""
    return types.replace("timestamp with time zone", "timestamptz").replace("NULL::timestamptz", "NULL")


def _cell(comment: str | None) -> str:
    return (comment or "").replace("|", "\\|").replace("\n", " ")


_VIEWS = text(
    """
    SELECT c.relname AS name, obj_description(c.oid, 'pg_class') AS comment,
           a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type,
           col_description(c.oid, a.attnum) AS meaning
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relnamespace = 'mart'::regnamespace AND c.relkind IN ('r', 'v', 'm') AND a.attnum > 0
       AND NOT a.attisdropped
     ORDER BY c.relname COLLATE "C", a.attnum
    """
)

_FUNCTIONS = text(
    """
    SELECT p.proname AS name, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result,
           obj_description(p.oid, 'pg_proc') AS comment, out.name AS column, format_type(out.type, NULL) AS type
      FROM pg_proc p
      LEFT JOIN LATERAL unnest(p.proargnames, p.proallargtypes, p.proargmodes)
           WITH ORDINALITY AS out (name, type, mode, number) ON out.mode = 't'
     WHERE p.pronamespace = 'mart'::regnamespace
     ORDER BY p.proname COLLATE "C", p.oid, out.number
    """
)
