"""Brings a database to the schema that this version needs, and tells when one is not there yet."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.errors import InsufficientPrivilege, LockNotAvailable
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

import etl
from etl.database import mart, mart_record
from etl.database.loader import let_load
from etl.database.schema_lock import blockers, lock_schema
from etl.errors import DatabaseError

PATIENCE = "10s"
"""How long the mart waits for a lock that a reader holds: who asks next waits behind it."""

SCRIPTS = Path(etl.__file__).parent.parent / "migrations"


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration, for this connection."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, derive: Callable[[Connection], None] = lambda _: None) -> None:
    """Migrate ``raw`` and ``core`` to the newest revision and replace of the mart what differs. Safe to repeat.

    ``derive`` brings up to date what is derived from history, in the transaction that replaces the mart. The loader is
    granted what it needs each time, because an administrator may have made its role meanwhile. Raises ``DatabaseError``
    when the role of the connection does not own the schema, when somebody uses it all the time, and when objects of
    others are in the way.
    """
    with _naming_blockers(engine):
        with engine.connect() as connection:
            _refuse_newer(connection)
            _require_owner(connection)
            command.upgrade(configuration(connection), "head")
        with engine.begin() as connection:
            lock_schema(connection)
            if mart.installed(connection) != mart.digest() or mart_record.drifted(connection):
                derive(connection)
                connection.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE}'"))
                mart.install(connection)
            let_load(connection)


@contextmanager
def _naming_blockers(engine: Engine) -> Iterator[None]:
    """Raise ``DatabaseError`` with the sessions that were waited for in vain."""
    try:
        yield
    except DBAPIError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise
        with engine.connect() as connection:
            who = blockers(connection) or "a session that has ended"
        raise DatabaseError(
            f"the schema is in use, and could not be changed for {PATIENCE} because of {who}: "
            "end its transaction, or the session by pg_terminate_backend, and run `etl db upgrade` again"
        ) from None


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


def _require_owner(connection: Connection) -> None:
    """Raise ``DatabaseError`` unless we may change the schema, or make it where there is none."""
    owner, role, database, is_ours, may_create = connection.execute(_OWNER).one()
    if owner and not is_ours:
        raise DatabaseError(
            f"the schema belongs to {owner}, and {role} may not change it: run `etl db upgrade` with the url of {owner}"
        )
    if not (owner or may_create):
        raise DatabaseError(f"{role} may make no schema in {database}: let its owner run `etl db upgrade`")


_OWNER = text(
    """
    SELECT pg_get_userbyid(schema.nspowner), current_user, current_database(),
           pg_has_role(schema.nspowner, 'USAGE'), has_database_privilege(current_database(), 'CREATE')
      FROM (VALUES (1)) one LEFT JOIN pg_namespace schema ON schema.nspname = 'raw'
    """
)


def _refuse_newer(connection: Connection) -> None:
    found = revision(connection)
    if found and not is_known(found):
        raise DatabaseError(f"the database has schema {found}, which is newer than this program: upgrade the program")


def revision(connection: Connection) -> str | None:
    """The revision of the schema in this database, or null when there is none."""
    options = {"version_table": "schema_revision", "version_table_schema": "public"}
    try:
        return MigrationContext.configure(connection, opts=options).get_current_revision()
    except ProgrammingError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        role = connection.engine.url.username
        raise DatabaseError(f"{role} may not use the warehouse: let its owner run `etl db upgrade`") from None


def head() -> str | None:
    """The newest revision."""
    return ScriptDirectory.from_config(configuration()).get_current_head()
