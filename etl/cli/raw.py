"""``etl raw``: landed bodies that are moved out into a folder, and back."""

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from etl.cli import output
from etl.cli.pull import JsonOption
from etl.cli.session import clock, session
from etl.errors import ConfigurationError

app = typer.Typer(help="The landed bytes: move old bodies out.", no_args_is_help=True, rich_markup_mode=None)

COLUMNS = ("folder", "before", "snapshots", "bodies", "written", "bytes", "dropped")


@app.command()
def archive(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The archive; made when it is not there.")],
    *,
    older_than: Annotated[
        str | None, typer.Option("--older-than", help="Age of the snapshots: 365d, 36h; default: archive_after.")
    ] = None,
    drop: Annotated[
        bool, typer.Option("--drop", help="Then drop from the database what is proven to be in DIR.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Copy the bodies of old snapshots into a folder, with a manifest, and prove that they are there.

    Without --drop nothing leaves the database. Both may be repeated at any time.
    """
    from etl.load import archive as archiving

    current = session(context)
    now = clock()
    task = archiving.Task(
        folder=folder.expanduser().absolute(),
        before=_before(now, older_than, current.settings.archive_after),
        archive=current.settings.archive,
        is_dropped=drop,
        now=now,
    )
    with output.counting("archiving") as progress:
        done = archiving.archive(current.engine, task, progress)
    row = asdict(done) | {"folder": str(done.folder)}
    output.json_document(row) if as_json else output.table([row], COLUMNS)


@app.command()
def restore(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Bring all archived bodies back into the database; the archive stays as it is."""
    from etl.load import archive as archiving

    current = session(context)
    with output.counting("restoring") as progress:
        count = archiving.restore(current.engine, current.settings.archive, progress)
    output.json_document({"restored": count}) if as_json else typer.echo(f"{count} bodies are back in the database")


def _before(now: datetime, older_than: str | None, default: timedelta) -> datetime:
    """The moment that lies so far back. Raises ``ConfigurationError`` for what is no age."""
    from etl.config.values import Duration

    try:
        age = default if older_than is None else TypeAdapter(Duration).validate_python(older_than)
        if age >= timedelta(0):
            return now - age
    except (ValidationError, OverflowError):
        pass
    what = f"archive_after {default}" if older_than is None else f"--older-than {older_than}"
    raise ConfigurationError(f"{what} is no age: write 365d, 36h or 90m")
