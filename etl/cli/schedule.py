"""The command that stays: the daemon."""

import os
import sys
from typing import Annotated

import typer

from etl.cli import output
from etl.cli.pull import JsonOption
from etl.cli.session import Session, require_known, session
from etl.database import migrations
from etl.load import log
from etl.schedule.daemon import Daemon
from etl.schedule.plan import Plan

SLOTS = ("due_at", "source", "status", "run_id", "outcome", "worker", "reason")


def schedule(context: typer.Context) -> None:
    """Pull each enabled source on its own schedule, until SIGTERM or SIGINT; SIGHUP reads the configuration anew."""
    first = session(context)
    if not Daemon(_Replanning(first)).run():
        # A walk that does not end holds nothing that the next run would not do again.
        sys.stderr.flush()
        os._exit(0)


class _Replanning:
    """Plans from the configuration as it is now; the first time that is the one of the command."""

    def __init__(self, first: Session) -> None:
        self._next = first

    def __call__(self) -> Plan:
        current, self._next = self._next, Session(self._next.config_file, self._next.environ)
        sources = current.ready(())
        current.record_configuration(current.sources.values())

        def require_ready() -> None:
            if current.is_embedded:
                current.server.ensure()
            migrations.require_current(current.engine)

        return Plan(
            pipeline=current.pipeline,
            settings=current.settings,
            sources={source.name: source for source in sources},
            require_ready=require_ready,
        )


def slots(
    context: typer.Context,
    *,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    missed: Annotated[bool, typer.Option("--missed", help="Only slots that nobody served.")] = False,
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1)] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show the due times of the sources, and what became of each."""
    with session(context).engine.connect() as connection:
        rows = log.slots(connection, source=source, is_missed_only=missed, limit=limit)
        if source and not rows:
            require_known(source, [*session(context).sources, *(row["source"] for row in log.status(connection))])
    if not rows:
        output.note("no slots: `etl schedule` or `etl run` serves them as they come due")
    if as_json:
        output.json_document(rows)
    elif rows:
        output.table(rows, SLOTS)
