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

_SHOWN = ("kind", "name", "owner", "drop", "create")
"""What ``etl db dependents --json`` has of each object."""

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
    reader: Annotated[bool, typer.Option("--reader", help="The login that reads the mart and nothing else.")] = False,
    hide_password: Annotated[bool, typer.Option("--hide-password", help="Show *** for every secret.")] = False,
) -> None:
    """Print the URL for psql, with --reader for BI tools (with the password: keep it to yourself)."""
    from etl.database.cluster import OWNER, VIEWER
    from etl.database.engine import shown, spelled

    current = session(context)
    if reader and not current.is_embedded:
        raise ConfigurationError("the readers of DATABASE_URL are known to its server: `etl db grant USER` makes one")
    found = current.role_url(VIEWER if reader else OWNER)
    typer.echo(shown(found) if hide_password else spelled(found))


@app.command()
def upgrade(context: typer.Context) -> None:
    """Migrate the database to the schema of this version, and record there what is configured."""
    from etl.cli.invocation import upgrade as migrate
    from etl.database import loader, migrations

    current = session(context)
    _ = current.sources  # What is wrong in the configuration is said before anything is migrated.
    engine = current.unmigrated_engine
    migrate(engine)
    current.record_configuration()
    if not (current.is_embedded or loader.is_there(engine)):
        output.note(f"the role {loader.LOADER} is not there, and {engine.url.username} may make none: {loader.REMEDY}")
    typer.echo(f"schema {migrations.head()} is in place")


@app.command()
def grant(
    context: typer.Context,
    user: Annotated[str, typer.Argument(metavar="USER", help="A role of the server, which its administrator made.")],
) -> None:
    """Let somebody read the mart: all of it, and nothing else of the warehouse."""
    from etl.database import reader

    done = reader.grant(session(context).owner_engine, user)
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
    become_client(current, "psql", current.unmigrated_engine, context.args)


@app.command()
def dependents(
    context: typer.Context,
    *,
    drop: Annotated[bool, typer.Option("--drop", help="Print only the SQL that drops them.")] = False,
    create: Annotated[bool, typer.Option("--create", help="Print only the SQL that creates them again.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print what others created on top of the warehouse, as SQL that drops it and creates it again."""
    from etl.database import dependents as hanging

    with session(context).unmigrated_engine.connect() as connection:
        found = hanging.of_the_warehouse(connection)
    if as_json:
        output.json_document([{name: getattr(each, name) for name in _SHOWN} for each in found])
        return
    if not found:
        typer.echo("-- nothing hangs on raw, core or mart")
    if found and (drop or not create):
        typer.echo(f"-- drop them before the upgrade\n{hanging.drops(found)}")
    if found and (create or not drop):
        typer.echo(f"-- create them again after the upgrade\n{hanging.creations(found)}", nl=False)


def become_client(current: "Session", name: str, engine: "Engine", arguments: list[str]) -> NoReturn:
    """Go on as a client of Postgres, like psql, on the warehouse."""
    from etl.database.client import client_address

    address, environment = client_address(engine.url, current.environ)
    program = client(current, name)
    sys.stdout.flush()
    os.execve(program, [name, f"--dbname={address}", *arguments], environment)  # noqa: S606  the user asked for it


def client(current: "Session", name: str) -> str:
    """The server's own client of that name, or any other. Raises ``ConfigurationError``."""
    with suppress(DatabaseError):
        if found := current.server.client(name):
            return str(found)
    if elsewhere := shutil.which(name):
        return elsewhere
    raise ConfigurationError(f"no {name} found: install a PostgreSQL client, or point PGBIN at its folder")


def _status(current: "Session") -> dict[str, object]:
    from etl.database.engine import database_url, open_engine, shown

    if not current.is_embedded:
        engine = current.unmigrated_engine
        return {
            "server": "DATABASE_URL",
            "running": True,
            "url": shown(engine.url),
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
