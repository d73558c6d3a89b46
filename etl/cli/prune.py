"""``etl db prune``: deletes what ``[retention]`` calls old from the logs."""

from typing import Annotated

import typer

from etl.cli import output
from etl.cli.pull import JsonOption
from etl.cli.session import clock, session
from etl.errors import ConfigurationError


def prune(
    context: typer.Context,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be deleted.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete rows of the logs that [retention] calls old; never history or landed bytes."""
    from etl.load import retention

    current = session(context)
    limits = current.settings.retention.limits(clock())
    if not limits:
        raise ConfigurationError("nothing is to be pruned: set slots_days and others under [retention] in etl.toml")
    if dry_run:
        with current.engine.connect() as connection:
            rows = retention.count(connection, limits)
    else:
        rows = dict.fromkeys(limits, 0)
        for name, deleted in retention.prune(current.engine, limits):
            rows[name] += deleted
    table = [{"log": name, "before": limits[name], "rows": rows[name]} for name in limits]
    output.json_document(table) if as_json else output.table(table, ("log", "before", "rows"))
