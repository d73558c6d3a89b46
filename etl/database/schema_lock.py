"""The lock under which the schema is changed: the table of its revision, which a reader may not lock.

It has to work before any table of ours is there, and over the several transactions of a migration.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from psycopg import errors
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

TABLE = "public.schema_revision"


def may_lock(connection: Connection) -> bool:
    """Whether we may change the schema at all, and so may lock it."""
    return bool(connection.scalar(text(f"SELECT has_table_privilege('{TABLE}', 'UPDATE')")))


def lock_schema(connection: Connection) -> None:
    """Be the only one who changes the schema until the transaction ends, waiting for another one and naming it."""
    try:
        with connection.begin_nested():
            connection.execute(text(f"{_LOCK} NOWAIT"))
    except DBAPIError as error:
        if not isinstance(error.orig, errors.LockNotAvailable):
            raise
        who = connection.scalar(_HOLDER, {"lock": TABLE})
        structlog.get_logger().warning("waiting for another process", lock="schema", holder=who)
        connection.execute(text(_LOCK))


@contextmanager
def schema_locked(engine: Engine) -> Iterator[None]:
    """Be the only one who changes the schema, over several transactions of other connections."""
    with engine.connect() as connection:
        if connection.scalar(text(f"SELECT to_regclass('{TABLE}')")) is None:
            _create(connection)
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        lock_schema(connection)
        yield
        connection.rollback()


def _create(connection: Connection) -> None:
    """Make the table as Alembic does, unless another process has just done so."""
    try:
        connection.execute(text(_CREATE))
        connection.commit()
    except DBAPIError as error:
        connection.rollback()
        if not isinstance(error.orig, errors.DuplicateTable | errors.UniqueViolation):
            raise


def blockers(connection: Connection) -> str:
    """The sessions that hold a lock on anything of ours, as far as we may see them; empty when there is none."""
    return str(connection.scalar(_BLOCKERS) or "")


_CREATE = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (version_num varchar(32) NOT NULL CONSTRAINT schema_revision_pkc PRIMARY KEY)
"""

_LOCK = f"LOCK TABLE {TABLE} IN SHARE UPDATE EXCLUSIVE MODE"
"""One at a time, while everybody may read which revision there is, and the migration may write it."""

_SESSION = "concat_ws(', ', 'pid ' || a.pid, 'role ' || a.usename, nullif(a.application_name, ''))"

_HOLDER = text(
    f"""
    SELECT string_agg({_SESSION}, '; ')
      FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
     WHERE l.relation = CAST(:lock AS regclass) AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted
    """  # noqa: S608  our own words
)

_BLOCKERS = text(
    f"""
    SELECT string_agg(DISTINCT {_SESSION}, '; ')
      FROM pg_locks l
      JOIN pg_class c ON c.oid = l.relation
      JOIN pg_stat_activity a ON a.pid = l.pid
     WHERE l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND c.relnamespace IN (to_regnamespace('raw'), to_regnamespace('core'), to_regnamespace('mart'))
       AND l.granted AND l.pid <> pg_backend_pid()
    """  # noqa: S608  our own words
)
