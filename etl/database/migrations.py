"""Brings a database to the schema that this version needs, and tells when one is not there yet."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

import etl
from etl.database import mart, mart_record
from etl.errors import DatabaseError

SCRIPTS = Path(etl.__file__).parent.parent / "migrations"


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration, for this connection."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, derive: Callable[[Connection], None] = lambda _: None) -> None:
    """Migrate ``raw`` and ``core`` to the newest revision and replace of the mart what differs. Safe to repeat.

    ``derive`` brings up to date what is derived from history, in the transaction that replaces the mart. Raises
    ``DatabaseError`` when objects of others are in the way.
    """
    with engine.connect() as connection:
        _refuse_newer(connection)
        command.upgrade(configuration(connection), "head")
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('etl mart', 0))"))
        if mart.installed(connection) != mart.digest() or mart_record.drifted(connection):
            derive(connection)
            connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            mart.install(connection)


def require_current(engine: Engine) -> None:
    """Raise ``DatabaseError`` unless the schema is exactly the one that this version needs."""
    with engine.connect() as connection:
        found = revision(connection)
        if found != head():
            _refuse_newer(connection)
            raise DatabaseError(f"the database has schema {found or 'none'}, {head()} is needed: run `etl db upgrade`")
        if mart.installed(connection) != mart.digest():
            raise DatabaseError("the database has the mart of another version: run `etl db upgrade`")


def is_current(engine: Engine) -> bool:
    """Whether the schema is exactly the one that this version needs."""
    with engine.connect() as connection:
        return revision(connection) == head() and mart.installed(connection) == mart.digest()


def is_known(found: str) -> bool:
    """Whether a revision is one of this program's."""
    return found in {script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()}


def _refuse_newer(connection: Connection) -> None:
    found = revision(connection)
    if found and not is_known(found):
        raise DatabaseError(f"the database has schema {found}, which is newer than this program: upgrade the program")


def revision(connection: Connection) -> str | None:
    """The revision of the schema in this database, or null when there is none."""
    options = {"version_table": "schema_revision", "version_table_schema": "public"}
    context = MigrationContext.configure(connection, opts=options)
    return context.get_current_revision()


def head() -> str | None:
    """The newest revision."""
    return ScriptDirectory.from_config(configuration()).get_current_head()
