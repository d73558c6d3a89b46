"""``etl db``: the embedded server and the migrations."""

import os
import shutil
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from etl.cli import output
from etl.cli.pull import JsonOption
from etl.cli.session import session
from etl.errors import ConfigurationError, DatabaseError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from etl.cli.invocation import Session

app = typer.Typer(help="The database: embedded server and migrations.", no_args_is_help=True, rich_markup_mode=None)

PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": ["--help"]}
"""Settings of a command whose arguments go to another program: -h is its host, not our help."""


@app.command()
def start(context: typer.Context) -> None:
    """Start the embedded server and bring it to the current schema."""
    current = session(context)
    _require_embedded(current)
    engine = current.engine
    typer.echo(f"running on {engine.url.host}:{engine.url.port}, data in {current.server.status().data}")


@app.command()
def stop(context: typer.Context) -> None:
    """Stop the embedded server; its data stays."""
    current = session(context)
    _require_embedded(current)
    typer.echo("stopped" if current.server.stop() else "was not running")


@app.command()
def status(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Show whether the database runs, where, and with which schema."""
    row = _status(session(context))
    output.json_document(row) if as_json else output.table([row], list(row))


@app.command()
def url(
    context: typer.Context,
    *,
    hide_password: Annotated[bool, typer.Option("--hide-password", help="Show *** for the password.")] = False,
) -> None:
    """Print the URL for psql and BI tools (with the password: keep it to yourself)."""
    current = session(context)
    found = current.unmigrated_engine.url.set(drivername="postgresql")
    typer.echo(found.render_as_string(hide_password=hide_password))


@app.command()
def upgrade(context: typer.Context) -> None:
    """Migrate the database to the schema of this version, and record there what is configured."""
    from etl.cli.invocation import upgrade as migrate
    from etl.database import migrations

    current = session(context)
    _ = current.sources  # What is wrong in the configuration is said before anything is migrated.
    migrate(current.unmigrated_engine)
    current.record_configuration()
    typer.echo(f"schema {migrations.head()} is in place")


@app.command()
def grant(
    context: typer.Context,
    user: Annotated[str, typer.Argument(metavar="USER", help="A role of the server, which its administrator made.")],
) -> None:
    """Let somebody read the mart: all of it, and nothing else of the warehouse."""
    from etl.database import reader

    done = reader.grant(session(context).engine, user)
    for statement in done:
        typer.echo(statement)
    typer.echo(f"{user} may read the mart" if done else f"{user} may read the mart already: nothing to do")


@app.command()
def dictionary(context: typer.Context) -> None:
    """Print what every view, function and column of the mart means, in Markdown."""
    from etl.database import dictionary as data_dictionary

    with session(context).engine.connect() as connection:
        typer.echo(data_dictionary.markdown(connection), nl=False)


@app.command(context_settings=PASSED_ON)
def psql(context: typer.Context) -> None:
    """Open psql on the warehouse; further arguments go to psql."""
    current = session(context)
    become_client(current, "psql", current.engine, context.args)


def become_client(current: "Session", name: str, engine: "Engine", arguments: list[str]) -> NoReturn:
    """Go on as a client of Postgres, like psql, on the warehouse."""
    address, environment = client_address(current, engine)
    program = client(current, name)
    sys.stdout.flush()
    os.execve(program, [name, f"--dbname={address}", *arguments], environment)  # noqa: S606  the user asked for it


def client_address(current: "Session", engine: "Engine") -> tuple[str, dict[str, str]]:
    """Where a client finds the database, and its environment; the password is in that alone."""
    target = engine.url.set(drivername="postgresql")
    address = target.set(password=None).render_as_string(hide_password=False)
    return address, dict(current.environ) | {"PGPASSWORD": str(target.password or "")}


def client(current: "Session", name: str) -> str:
    """The server's own client of that name, or any other. Raises ``ConfigurationError``."""
    with suppress(DatabaseError):
        if found := current.server.client(name):
            return str(found)
    if elsewhere := shutil.which(name):
        return elsewhere
    raise ConfigurationError(f"no {name} found: install a PostgreSQL client, or point PGBIN at its folder")


def _status(current: "Session") -> dict[str, object]:
    from etl.database.engine import database_url, open_engine

    if not current.is_embedded:
        engine = current.unmigrated_engine
        return {
            "server": "DATABASE_URL",
            "running": True,
            "url": database_url(str(current.settings.database_url)).render_as_string(hide_password=True),
            "schema": _schema(engine),
        }
    found = current.server.status()
    address = current.server.url()
    return {
        "server": "embedded",
        "running": found.running,
        "pid": found.pid,
        "port": found.port,
        "version": found.version,
        "schema": _schema(open_engine(database_url(address))) if address else None,
        "data": str(found.data),
        "log": str(found.log),
    }


def _schema(engine: "Engine") -> str:
    from etl.database import migrations

    return "current" if migrations.is_current(engine) else "not current: run `etl db upgrade`"


def _require_embedded(current: "Session") -> None:
    if not current.is_embedded:
        raise ConfigurationError("DATABASE_URL is set: that server is not ours to start or stop; unset it first")
