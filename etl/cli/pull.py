"""Commands that bring snapshots in: run and backfill."""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etl import spoken
from etl.cli import changes, output
from etl.cli.progress import paused, shown
from etl.cli.session import LogFormatOption, session
from etl.errors import ConfigurationError

if TYPE_CHECKING:
    from etl.notify.notifier import Notifier
    from etl.result import Result

ROWS = 200
"""Snapshots of a backfill that are told one by one; of more, only those that there is something to say of."""

COLUMNS = ("source", "status", "observed_at", "opened", "closed", "reason")

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def run(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]…", help="Sources; default: all enabled.")] = None,
    *,
    due: Annotated[
        bool, typer.Option("--due", help="Only sources whose schedule has a slot open; made for cron.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would change, write nothing.")] = False,
    as_json: JsonOption = False,
    log_format: LogFormatOption = None,
) -> None:
    """Take one snapshot of each source now, and load it.

    Without names that is each enabled source: `etl sources` lists them.
    """
    from etl import log

    current = session(context, log_format)
    if due and dry_run:
        raise ConfigurationError("--due is about the ledger, and --dry-run writes nothing there: take one of them out")
    asked = current.ready(names or ())
    log.narrate()
    if dry_run:
        results = current.pipeline.run(asked, current.settings, is_dry=True)
        finish(shown(results, total=len(asked)), as_json=as_json, is_dry=True)
        return
    notifier = current.notifier
    current.record_configuration(named=asked if names else None)
    done = list(shown(current.attendant("run").run(asked, is_due_only=due), total=len(asked)))
    try:
        finish(done, as_json=as_json)
    finally:
        _notify(notifier, done)


def _notify(notifier: "Notifier", results: Iterable["Result"]) -> None:
    """Tell what is wrong, and that we are alive when nothing is."""
    notifier.tell()
    if all(result.is_well for result in results) and notifier.is_well():
        notifier.ping()


def backfill(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The source that the snapshots are of.")],
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH…", help="<UTC>.json, <UTC>/ (pages), or a folder of such")
    ],
    *,
    is_confirmed: Annotated[
        bool, typer.Option("--yes", help="Load also what a live run would hold, without asking.")
    ] = False,
    as_json: JsonOption = False,
    log_format: LogFormatOption = None,
) -> None:
    """Load saved snapshots of a source, in any order.

    Asks before one that a live run would hold, or that is dated in the future; without a terminal it is held.
    Stop it whenever you like: what is loaded stays, and the same command goes on from there.
    """
    from etl.backfill import snapshots

    current = session(context, log_format)
    [asked] = current.named([name])
    found = snapshots(asked.name, asked.kind, paths)
    current.record_configuration(named=[asked])
    with closing(current.pipeline.backfill(asked.source, found, confirm=None if is_confirmed else _ask)) as results:
        done = list(shown(results, total=len(found)))
    if (held := sum(result.status == "held" for result in done)) and not is_confirmed:
        output.note(f"{held} in doubt: the same command with --yes loads {'it' if held == 1 else 'them'}")
    if as_json or len(done) <= ROWS:
        finish(done, as_json=as_json)
    else:
        _sum_up(done)
        conclude(done)


def _ask(doubtful: "Result") -> bool:
    """Ask at the terminal whether a saved snapshot in doubt is loaded; elsewhere it is not."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    moment = f"{doubtful.source} {output.cell(doubtful.observed_at)}"
    with paused():
        return typer.confirm(f"{moment}: {doubtful.reason}. Load it all the same?", err=True)


def _sum_up(done: Sequence["Result"]) -> None:
    """Print how many snapshots came to what, after those that there is something to say of."""
    remarkable = [row_of(result) for result in done if result.error or result.reason]
    if remarkable:
        output.table(remarkable, COLUMNS)
    counts = Counter(result.status for result in done)
    each = ", ".join(f"{number} {status}" for status, number in counts.most_common())
    output.text(f"{len(done)} snapshots: {each}\n")


def finish(results: Iterable["Result"], *, as_json: bool, is_dry: bool = False) -> None:
    """Print the results, then warnings and errors, and end with 1 when anything failed or is held."""
    done = list(results)
    if as_json:
        output.json_document([row_of(result) | ({"changes": result.changes} if is_dry else {}) for result in done])
    else:
        output.table([row_of(result) for result in done], COLUMNS)
        _show_changes(done) if is_dry else None
    if is_dry:
        output.note("a dry run: nothing was written")
    conclude(done)


def conclude(results: Iterable["Result"]) -> None:
    """Say on stderr what was set aside and what failed; end with 1 when anything failed or is held."""
    done = list(results)
    for result in done:
        _warn(result)
    if not all(result.is_well for result in done):
        raise typer.Exit(1)


def _show_changes(results: Iterable["Result"]) -> None:
    told = [change for result in results for change in result.changes]
    if told:
        output.table(map(spoken.spoken, told), spoken.COLUMNS, title="\nwhat would change", look=changes.LOOK)


def row_of(result: "Result") -> dict[str, Any]:
    """A result as it is printed."""
    return {
        "source": result.source,
        "snapshot_id": result.snapshot_id,
        "run_id": result.run_id,
        "status": result.status,
        "observed_at": result.observed_at,
        "opened": result.opened,
        "closed": result.closed,
        "quarantined": result.quarantined,
        "unmapped": result.unmapped,
        "reason": result.error or result.reason,
    }


def _warn(result: "Result") -> None:
    if result.quarantined:
        output.note(
            f"warning: {result.source}: {result.quarantined} records quarantined: `etl quarantine {result.source}`"
        )
    if result.unmapped:
        output.note(f"warning: {result.source}: {result.unmapped} price fields unmapped: see core.unmapped_field")
    if result.is_well:
        return
    line = result.error or f"{result.source}: snapshot {result.snapshot_id} is {result.status}: {result.reason}"
    if result.status == "held" and result.snapshot_id is None:
        line = f"{result.source}: would be held: {result.reason}"
    elif result.status == "held":
        line += f"; look at it, then `etl snapshots release {result.snapshot_id}` or `reject {result.snapshot_id}`"
    elif result.status == "rejected":
        line += f"; `etl snapshots release {result.snapshot_id}` loads it"
    output.note(f"etl: {line}")
