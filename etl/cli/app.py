"""The commands, put together."""

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from etl.cli import (
    changes,
    database,
    demo,
    doctor,
    explain,
    export,
    history,
    log,
    moving,
    prune,
    pull,
    quarantine,
    raw,
    rebuild,
    report,
    schedule,
    suspects,
    verify,
)
from etl.cli.session import LogFormatOption, Preamble

app = typer.Typer(
    help="The warehouse that knows what every LLM costs, on every gateway, at every moment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("demo")(demo.demo)
app.command("run")(pull.run)
app.command("backfill")(pull.backfill)
app.command("schedule")(schedule.schedule)
app.command("sources")(log.sources)
app.command("status")(log.status)
app.add_typer(log.snapshots, name="snapshots")
app.command("quarantine")(quarantine.quarantine)
app.command("slots")(schedule.slots)
app.add_typer(suspects.app, name="suspects")
app.command("changes")(changes.changes)
app.command("history")(history.history)
app.command("explain")(explain.explain)
app.command("report")(report.report)
app.command("export")(export.export)
app.command("verify")(verify.verify)
app.command("rebuild")(rebuild.rebuild)
app.add_typer(raw.app, name="raw")
app.command("doctor")(doctor.doctor)
database.app.command("copy")(moving.copy)
database.app.command("dump", context_settings=database.PASSED_ON)(moving.dump)
database.app.command("restore")(moving.restore)
database.app.command("prune")(prune.prune)
app.add_typer(database.app, name="db")


def show_version(is_wanted: bool) -> None:  # noqa: FBT001  the command-line library calls it so
    """Print the version of the program and end."""
    if is_wanted:
        typer.echo(f"etl {version('llm-price-warehouse')}")
        raise typer.Exit


@app.callback()
def begin(
    context: typer.Context,
    *,
    config: Annotated[
        Path | None, typer.Option(help="Configuration file, also behind a command; default: etl.toml here.")
    ] = None,
    log_format: LogFormatOption = None,
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version and end.", callback=show_version, is_eager=True)
    ] = False,
) -> None:
    """The warehouse that knows what every LLM costs, on every gateway, at every moment."""
    context.obj = Preamble(config, log_format)
