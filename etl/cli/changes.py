"""Commands that show what changed."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from etl.cli import output, spoken
from etl.cli.session import require_known, session
from etl.errors import ConfigurationError
from etl.load import changes as feed
from etl.load import log

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
)


class Format(StrEnum):
    """How changes are printed."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"


def changes(
    context: typer.Context,
    *,
    since: Annotated[str | None, typer.Option(help="First moment, ISO 8601, UTC unless it says otherwise.")] = None,
    until: Annotated[str | None, typer.Option(help="First moment that no longer counts.")] = None,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    format: Annotated[  # noqa: A002  the option's name
        Format, typer.Option(help="table (prices per million tokens), jsonl or csv (per unit, every column).")
    ] = Format.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show what changed in price, and which models came or went."""
    window = {"since": moment("--since", since), "until": moment("--until", until)}
    with session(context).engine.connect() as connection:
        rows = list(feed.between(connection, since=window["since"], until=window["until"], source=source))
        if source and not rows:
            require_known(source, [*session(context).sources, *(row["source"] for row in log.status(connection))])
    if not rows:
        output.note("no changes there: the first snapshot of a source makes none, later ones do")
    if as_json:
        output.json_document(rows)
    elif format is Format.JSONL:
        output.json_lines(rows)
    elif format is Format.CSV:
        output.comma_separated(rows, COLUMNS)
    elif rows:
        output.table(map(spoken.spoken, rows), spoken.COLUMNS)


def moment(option: str, value: str | None) -> datetime | None:
    """The time that an option gives; UTC unless it says otherwise. Raises ``ConfigurationError`` for what is none."""
    if value is None:
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        message = f"{option} {value} is no ISO 8601 time: write 2026-01-31 or 2026-01-31T12:00:00Z"
        raise ConfigurationError(message) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
