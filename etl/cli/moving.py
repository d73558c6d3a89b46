"""``etl db copy``, ``dump`` and ``restore``: the warehouse as a whole, to another database, into a file and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from etl.cli import output
from etl.cli.database import become_client, client
from etl.cli.pull import JsonOption
from etl.cli.session import Work, session
from etl.errors import ConfigurationError, DatabaseError

if TYPE_CHECKING:
    from etl.cli.invocation import Session

TARGET = "TARGET_DATABASE_URL"


def copy(
    context: typer.Context,
    url: Annotated[
        str | None, typer.Argument(metavar="[URL]", help=f"The empty database; default: {TARGET}, or {TARGET}_FILE.")
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Copy the whole warehouse into another, empty database, and prove that it arrived.

    All or nothing; the warehouse stays as it is. Set DATABASE_URL to the other database afterwards.
    """
    from etl import log
    from etl.cli.invocation import upgrade as migrate
    from etl.database import transfer
    from etl.database.engine import database_url, open_engine, require_reachable, secrets_of, shown

    current = session(context)
    address = database_url(_target(current, url), TARGET)
    log.conceal(secrets_of(address))
    target = open_engine(address)
    require_reachable(target, TARGET)
    transfer.require_empty(target)
    source = current.owner_engine
    with output.counting("copying") as progress:
        migrate(target)
        rows = transfer.transfer(source, target, progress)
    if as_json:
        output.json_document(rows)
    else:
        output.table([{"table": name, "rows": count} for name, count in sorted(rows.items())], ("table", "rows"))
    where = shown(target.url)
    output.note(f"the same rows are in {where} now: set DATABASE_URL to it")


def dump(context: typer.Context) -> None:
    """Write a backup with pg_dump, to which all arguments go: etl db dump -Fc -f warehouse.dump."""
    current = session(context)
    become_client(current, "pg_dump", current.unmigrated_engine, context.args)


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `etl db dump -Fc` wrote.")],
) -> None:
    """Bring a backup back, into a database that is empty or into which nothing ever came; all of it or nothing.

    The file is read to its end before anything is touched. What others created on an empty warehouse stays.
    """
    from etl.cli.invocation import upgrade as migrate
    from etl.database import dumps, migrations, transfer
    from etl.database.dump_file import DumpFile

    current = session(context)
    engine = current.unmigrated_engine
    if not file.is_file():
        raise ConfigurationError(f"{file} is no file")
    transfer.require_empty(engine)
    Work.has_begun = True
    with output.working("restoring"):
        restored = dumps.restore(engine, DumpFile(pg_restore=client(current, "pg_restore"), path=file))
    if restored.kept:
        output.note(f"kept, because it hangs on the warehouse: {'; '.join(restored.kept)}")
    if restored.left_out:
        output.note(f"left out for that: {'; '.join(restored.left_out)}; pg_restore can bring them back")
    try:
        migrate(engine)
    except DatabaseError as error:
        raise DatabaseError(f"{file} is in the database, but not with the schema of this version: {error}") from None
    typer.echo(f"{file} is in the database, with schema {migrations.head()}: `etl verify` compares it with its bytes")


def _target(current: "Session", url: str | None) -> str:
    from etl.config.secrets import lookup

    named = lookup(current.environ, TARGET)
    if url and named:
        raise ConfigurationError(f"a URL is given and {TARGET} is set: take one of them out")
    if not (url or named):
        raise ConfigurationError(f"where to? name the empty database as an argument or by {TARGET} or {TARGET}_FILE")
    return str(url or named)
