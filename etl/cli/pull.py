"""Commands that bring snapshots in: run, backfill, demo."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import text

from etl.backfill import snapshots
from etl.cli import output
from etl.cli.changes import COLUMNS as CHANGE_COLUMNS
from etl.cli.session import session
from etl.demo import story
from etl.pipeline import Result

COLUMNS = ("source", "status", "observed_at", "opened", "closed", "changes", "reason")

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def run(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]…", help="Sources; default: all enabled.")] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would change, write nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Take one snapshot now of each enabled source, or of those named, and load it."""
    current = session(context)
    asked = current.named(names) if names else [each for each in current.sources.values() if each.is_enabled]
    for source in asked:
        source.require_credential()
    results = current.pipeline.run(asked, current.settings, is_dry=dry_run)
    _finish(_shown(results, total=len(asked)), as_json=as_json, with_changes=dry_run)


def backfill(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The source that the snapshots are of.")],
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH…", help="<UTC>.json, <UTC>/ (pages), or a folder of such")
    ],
    *,
    as_json: JsonOption = False,
) -> None:
    """Load saved snapshots of a source, in any order."""
    current = session(context)
    [asked] = current.named([name])
    found = list(snapshots(asked.name, asked.kind, paths))
    results = current.pipeline.backfill(asked.source, found)
    _finish(_shown(results, total=len(found)), as_json=as_json)


def demo(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Play dated sample catalogs of all five kinds on loopback, load them, ask questions: no network, no keys."""
    current = session(context)
    engine = current.engine
    results = list(_shown(story.play(current.pipeline), total=story.SNAPSHOTS))
    if not as_json:
        with engine.connect() as connection:
            for question in story.QUESTIONS:
                rows = [dict(row) for row in connection.execute(text(question.sql)).mappings()]
                output.table(rows, list(rows[0]) if rows else [], title=f"\n{question.title}")
    _finish(results, as_json=as_json)


def _shown(results: Iterable[Result], *, total: int) -> Iterator[Result]:
    """The results, each named on stderr as it comes."""
    console = output.stderr()
    for count, result in enumerate(results, 1):
        when = output.cell(result.observed_at)
        console.print(f"[{count}/{total}] {result.source} {when} {result.status}", markup=False)
        yield result


def _finish(results: Iterable[Result], *, as_json: bool, with_changes: bool = False) -> None:
    """Print the results, then warnings and errors, and end with 1 when anything failed or is held."""
    done = list(results)
    if as_json:
        output.json_document([_row(result) | {"changes": result.changes} for result in done])
    else:
        output.table(map(_row, done), COLUMNS)
        if with_changes:
            output.table((change for result in done for change in result.changes), CHANGE_COLUMNS)
    for result in done:
        _warn(result)
    if not all(result.is_well for result in done):
        raise typer.Exit(1)


def _row(result: Result) -> dict[str, Any]:
    return {
        "source": result.source,
        "snapshot_id": result.snapshot_id,
        "status": result.status,
        "observed_at": result.observed_at,
        "opened": result.opened,
        "closed": result.closed,
        "changes": len(result.changes),
        "quarantined": result.quarantined,
        "unmapped": result.unmapped,
        "reason": result.error or result.reason,
    }


def _warn(result: Result) -> None:
    console = output.stderr()
    if result.quarantined:
        console.print(f"warning: {result.source}: {result.quarantined} records quarantined: see core.quarantine")
    if result.unmapped:
        console.print(f"warning: {result.source}: {result.unmapped} price fields unmapped: see core.unmapped_field")
    if not result.is_well:
        line = result.error or f"{result.source}: snapshot {result.snapshot_id} is {result.status}: {result.reason}"
        console.print(f"etl: {line}", markup=False)
