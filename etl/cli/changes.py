"""Commands that show what changed."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from etl import spoken
from etl.cli import output, syndication
from etl.cli.session import moment, require_source, session
from etl.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy import Connection

COLUMNS = (
    "changed_at",
    "source",
    "model_id",
    "provider",
    "region",
    "plan",
    "meter",
    "tier_start",
    "change",
    "cause",
    "old_state",
    "new_state",
    "old_unit_price",
    "new_unit_price",
    "currency",
    "ratio",
    "not_before",
    "is_economic",
    "is_reversal",
    "is_suspect",
    "old_currency",
    "cursor",
    "event",
    "known_at",
)


class Format(StrEnum):
    """How changes are printed."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"
    ATOM = "atom"
    RSS = "rss"


def changes(  # noqa: PLR0913  each is one thing that can be typed
    context: typer.Context,
    *,
    since: Annotated[
        str | None, typer.Option(help="First moment, ISO 8601 (UTC unless it says otherwise), or a cursor: c0, c123.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="First moment that no longer counts, or the last cursor that does.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    format: Annotated[  # noqa: A002  the option's name
        Format,
        typer.Option(help="table (prices per million tokens), jsonl, csv (per unit, every column), atom or rss."),
    ] = Format.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="csv: texts as they came, also formulas and escapes.")] = False,
) -> None:
    """Show what changed in price, and which models came or went.

    Between two moments: the changes as believed now. After a cursor: what became known since, as a feed of assertions
    and retractions that misses nothing and repeats nothing; the last line on stderr tells the next cursor.
    """
    first, last = _bound("--since", since), _bound("--until", until)
    _require_window(first, last)
    if raw and (as_json or format is not Format.CSV):
        raise ConfigurationError("--raw is for --format csv: take it out, or add that")
    with session(context).engine.connect() as connection:
        rows, following = _asked(connection, first, last, source)
        if source and not rows:
            require_source(session(context), connection, source)
    if following is not None:
        output.note(f"next: --since c{following}")
    elif not rows:
        output.note("no changes there: the first snapshot of a source makes none, later ones do")
    if as_json:
        output.json_document(rows)
    elif raw:
        output.comma_separated(rows, COLUMNS, is_raw=True)
    else:
        _PRINT[format](rows)


Bound: TypeAlias = datetime | int | None
"""A moment, or a position of the feed."""


def _require_window(first: Bound, last: Bound) -> None:
    """Raise ``ConfigurationError`` unless the bounds are two of a kind, in their order."""
    match first, last:
        case int(), int():
            is_inverted = last < first
        case datetime(), datetime():
            is_inverted = last < first
        case (int(), datetime()) | (datetime() | None, int()):
            raise ConfigurationError("a cursor and a moment bound no question: give two of a kind, such as --since c0")
        case _:
            is_inverted = False
    if is_inverted:
        raise ConfigurationError("--until comes before --since: nothing lies between them")


def _asked(
    connection: "Connection", first: Bound, last: Bound, source: str | None
) -> tuple[list[dict[str, Any]], int | None]:
    """What was asked for, and, when that was the feed, the position up to which it was told."""
    from etl.load import changes as feed
    from etl.load import derive

    if not isinstance(first, int):
        until = None if isinstance(last, int) else last
        return list(feed.between(connection, since=first, until=until, source=source)), None
    here = derive.cursor(connection)
    if first > here:
        raise ConfigurationError(f"--since c{first} is beyond the end of the feed, c{here}: is this another warehouse?")
    end = min(last, here) if isinstance(last, int) else here
    return list(feed.events(connection, after=first, upto=end, source=source)), max(first, end)


def _bound(option: str, value: str | None) -> Bound:
    """The moment or the cursor that an option names. Raises ``ConfigurationError``."""
    if value is None:
        return None
    if cursor := re.fullmatch(r"c(\d{1,18})", value):
        return int(cursor[1])
    return moment(option, value, instead=", or a cursor such as c123")


LOOK = output.Look(paint=dict.fromkeys(("change", "price"), output.moves("change")), first=("when", "change", "price"))


def _table(rows: Iterable[Mapping[str, Any]]) -> None:
    shown = [spoken.spoken(row) for row in rows]
    if shown:
        output.table(shown, spoken.COLUMNS, look=LOOK)


_PRINT: dict[Format, Callable[[list[dict[str, Any]]], None]] = {
    Format.TABLE: _table,
    Format.JSONL: output.json_lines,
    Format.CSV: lambda rows: output.comma_separated(rows, COLUMNS),
    Format.ATOM: lambda rows: output.text(syndication.atom(rows)),
    Format.RSS: lambda rows: output.text(syndication.rss(rows)),
}
