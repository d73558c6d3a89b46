"""``etl doctor``: looks at everything that has to be in place, and says in a line each what is and what to do."""

from dataclasses import asdict

import typer

from etl.cli import output
from etl.cli.pull import JsonOption
from etl.cli.session import session

COLUMNS = ("status", "check", "found", "remedy")
COLOURS = {"ok": "green", "warning": "yellow", "failed": "red", "skipped": "dim"}
LOOK = output.Look(paint={"status": output.words("status", COLOURS)}, first=COLUMNS)


def doctor(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Check configuration, credentials (never shown), sources, database, migrations, clocks and disk.

    Nothing is started, written or sent but one small request to each enabled source.
    """
    from etl.cli.examination import findings

    found = list(findings(session(context)))
    rows = [asdict(finding) | {"status": finding.status.value} for finding in found]
    for row in rows:
        del row["exit_status"]
    output.json_document(rows) if as_json else output.table(rows, COLUMNS, look=LOOK)
    if worst := max(finding.exit_status for finding in found):
        raise typer.Exit(worst)
