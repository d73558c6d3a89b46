"""``etl quarantine``: what could not be read."""

import json
from typing import Annotated, Any

import typer

from etl.cli import output
from etl.cli.pull import JsonOption
from etl.cli.session import require_source, session

COLUMNS = ("source", "snapshot_id", "observed_at", "page", "pointer", "reason", "record")
LONGEST = 200
"""Characters of a record that a table shows; ``--json`` has the rest."""

LOOK = output.Look(first=("source", "snapshot_id", "page", "pointer", "reason"))


def quarantine(  # noqa: PLR0913  each is an option
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]…", help="Sources; default: all.")] = None,
    *,
    source: Annotated[list[str] | None, typer.Option(help="Only this source; may be repeated.")] = None,
    snapshot: Annotated[int | None, typer.Option(metavar="ID", help="The records of this snapshot.")] = None,
    is_all: Annotated[bool, typer.Option("--all", help="The records of every snapshot, newest first.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many records.", min=1)] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show the records that could not be read: where each stands, why, and what it is.

    Without options those of the last snapshot of each source that counts. The former prices of such a record are
    carried on. A large record is shown by its beginning: the landed page has all of it.
    """
    from etl.queries.quarantine import records

    wanted = [*(names or ()), *(source or ())]
    with session(context).engine.connect() as connection:
        for name in wanted:
            require_source(session(context), connection, name)
        is_latest = snapshot is None and not is_all
        found = records(connection, sources=wanted, snapshot_id=snapshot, is_latest=is_latest, limit=limit + 1)
    rows = found[:limit]
    if as_json:
        output.json_document(rows)
    elif rows:
        output.table(map(_shown, rows), COLUMNS, look=LOOK)
    if not rows:
        output.note("nothing is quarantined" + (" now: --all looks at older snapshots, too" if is_latest else ""))
    if found[limit:]:
        output.note(f"only the first {limit}: --limit shows more")


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row for people: the record as the beginning of its JSON text."""
    record = "" if row["record"] is None else json.dumps(row["record"], ensure_ascii=False, default=str)
    return row | {"record": record if len(record) <= LONGEST else record[:LONGEST] + "…"}
