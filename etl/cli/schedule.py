"""The command that stays, and what became of its slots."""

from typing import Annotated

import typer

from etl.cli import output
from etl.cli.pull import JsonOption
from etl.cli.session import LogFormatOption, require_source, session

SLOTS = ("due_at", "source", "status", "run_id", "outcome", "worker", "reason")


def schedule(context: typer.Context, *, log_format: LogFormatOption = None) -> None:
    """Pull each enabled source on its own schedule, until SIGTERM or SIGINT; SIGHUP reads the configuration anew."""
    from etl.cli.planning import stay

    stay(session(context, log_format))


def slots(
    context: typer.Context,
    *,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    missed: Annotated[bool, typer.Option("--missed", help="Only slots that nobody served.")] = False,
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1)] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show the due times of the sources, and what became of each."""
    from etl.load import log

    with session(context).engine.connect() as connection:
        rows = log.slots(connection, source=source, is_missed_only=missed, limit=limit)
        if source and not rows:
            require_source(session(context), connection, source)
    if not rows:
        note = "no slot was missed" if missed else "no slots: `etl schedule` or `etl run` serves them as they come due"
        output.note(note)
    if as_json:
        output.json_document(rows)
    elif rows:
        output.table(rows, SLOTS)
