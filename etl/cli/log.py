"""Commands that show what is configured and what happened."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etl.cli import check, output
from etl.cli.pull import JsonOption
from etl.cli.session import require_source, session

if TYPE_CHECKING:
    from etl.config import ConfiguredSource
    from etl.result import Result

SOURCES = ("source", "kind", "enabled", "url", "path", "schedule", "credential")
STATUS = (
    "source",
    "kind",
    "enabled",
    "status",
    "last_attempt_at",
    "last_complete_at",
    "last_change_at",
    "max_age",
    "failures",
    "missed",
    "held",
    "quarantined",
    "unmapped",
    "models",
    "prices",
    "reason",
)
SHORT = {
    "consecutive_failures": "failures",
    "missed_slots": "missed",
    "held_snapshots": "held",
    "quarantined_records": "quarantined",
    "unmapped_fields": "unmapped",
}
"""What a table has no room for, as it is headed there."""

UNKNOWN = (
    *("last_attempt_at", "last_complete_at", "last_change_at", "max_age", *SHORT),
    *("models", "prices", "reason", "last_status", "last_error"),
)
"""What is null for a source that the database does not know."""

INTERNAL = ("is_recorded_enabled", "is_overdue", "set_aside")
"""What is asked of the database for our own use."""

COLOURS = {"fresh": "green", "stale": "yellow", "failing": "red", "never": "dim", "disabled": "dim"}
SNAPSHOTS = (
    "snapshot_id",
    "source",
    "observed_at",
    "origin",
    "status",
    "is_complete",
    "models",
    "endpoints",
    "prices",
    "opened",
    "closed",
    "bytes",
    "reason",
)


def _is_implied(row: Mapping[str, Any], column: str) -> bool:
    """Whether a narrow terminal can do without: a source named like its kind, pulled by itself, complete when asked."""
    as_told_first = {"kind": row["source"], "enabled": "yes", "last_attempt_at": row["last_complete_at"]}
    return column in as_told_first and row[column] == as_told_first[column]


HEALTH = output.Look(
    paint={"status": output.words("status", COLOURS)},
    first=("source", "status", "last_complete_at", "models", "prices"),
    implied=_is_implied,
)
LANDED = output.Look(
    paint={"status": output.words("status", {"held": "yellow", "failed": "red", "rejected": "dim"})},
    first=("snapshot_id", "source", "observed_at", "status"),
)

snapshots = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


def sources(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Show what is configured."""
    rows = [_configured(each) for each in session(context).sources.values()]
    output.json_document(rows) if as_json else output.table(rows, SOURCES)


def status(
    context: typer.Context,
    *,
    is_check: Annotated[
        bool, typer.Option("--check", help="End with 1 when a source is stale, failing, held or overdue.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show how fresh and how healthy each source is, and what it holds.

    Three facts date a source: when it was last attempted, last complete, and last changed. A backfill makes none fresh.
    """
    from etl.load import log

    current = session(context)
    # A wrong configuration is said before a database is looked for.
    configured = current.sources
    with current.engine.connect() as connection:
        known = {row["source"]: row for row in log.status(connection)}
    names = dict.fromkeys([*configured, *known])
    rows = [_health(name, current.sources.get(name), known.get(name, {})) for name in names]
    if as_json:
        output.json_document(rows)
    else:
        short = [{SHORT.get(key, key): value for key, value in row.items()} for row in rows]
        output.table(short, STATUS, look=HEALTH)
    changed = [name for name, each in current.sources.items() if _is_changed(each, known.get(name))]
    if changed:
        output.note(f"configured otherwise since the last load: {', '.join(changed)}; the next `etl run` records it")
    if is_check:
        check.conclude(known.values())


@snapshots.callback()
def listed(
    context: typer.Context,
    *,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1)] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show the log of snapshots; release or reject one."""
    if context.invoked_subcommand:
        return
    from etl.load import log

    with session(context).engine.connect() as connection:
        rows = log.snapshots(connection, source=source, limit=limit)
        if source and not rows:
            require_source(session(context), connection, source)
    if not rows:
        output.note("no snapshots yet: `etl run` takes one of each source, `etl demo` plays some")
    if as_json:
        output.json_document(rows)
    elif rows:
        output.table(rows, SNAPSHOTS, look=LANDED)


@snapshots.command()
def release(
    context: typer.Context,
    snapshot_id: Annotated[int, typer.Argument(metavar="ID", help="Number of the snapshot.")],
) -> None:
    """Load a snapshot at its own time: one that is held, was rejected, failed or is not loaded yet."""
    pipeline = session(context).pipeline
    _conclude(pipeline.release(pipeline.source_of(snapshot_id), snapshot_id))


@snapshots.command()
def reject(
    context: typer.Context,
    snapshot_id: Annotated[int, typer.Argument(metavar="ID", help="Number of the snapshot.")],
) -> None:
    """Refuse a snapshot: it never counts. One that is loaded is taken back, as if it had never come; its bytes stay."""
    _conclude(session(context).pipeline.reject(snapshot_id))


def _conclude(result: "Result") -> None:
    """Print what a decision came to."""
    became = "already" if result.reason == "already" else f"{result.opened} opened, {result.closed} closed"
    typer.echo(f"snapshot {result.snapshot_id} is {result.status}: {became}")


def _configured(source: "ConfiguredSource") -> dict[str, Any]:
    from etl.extract.address import Address

    credential = source.credential and f"{source.credential} ({'set' if source.secret else 'not set'})"
    return {
        "source": source.name,
        "kind": source.kind,
        "enabled": _enabled(source),
        "url": Address.parse(source.url, source.name).shown(source.url),
        "path": source.source.request_path,
        "schedule": source.settings.schedule.expression,
        "credential": credential,
    }


def _health(name: str, source: "ConfiguredSource | None", known: Mapping[str, Any]) -> dict[str, Any]:
    """One source as the database knows it; one that it does not know was never attempted."""
    unknown = {
        "kind": source and source.kind,
        "status": "never" if source and source.is_enabled else "disabled",
        "max_age": source and source.settings.max_age,
    }
    told = {key: value for key, value in known.items() if key not in INTERNAL}
    shown = {"source": name, "kind": None, "enabled": _enabled(source), "status": None}
    return shown | dict.fromkeys(UNKNOWN) | unknown | told


def _is_changed(source: "ConfiguredSource", known: Mapping[str, Any] | None) -> bool:
    """Whether the health of a source is told by a configuration that is no longer the present one."""
    told = (source.is_enabled, source.settings.max_age)
    return known is not None and (known["is_recorded_enabled"], known["max_age"]) != told


def _enabled(source: "ConfiguredSource | None") -> str:
    """Yes, or no and why."""
    if source is None:
        return "no: not configured"
    return "yes" if source.is_enabled else f"no: {source.why_disabled}"
