"""Locks of one warehouse, each under a name of ours: whoever holds one is alone in it until the transaction ends."""

import structlog
from sqlalchemy import ColumnElement, Connection, Text, bindparam, func, literal, select

from etl.database.driver import Statement


def lock(connection: Connection, name: str, *, seconds: int = 0) -> None:
    """Be alone in what the name stands for until the end of the transaction, waiting for another one.

    After ``seconds`` without it, 0 for never, raise ``DBAPIError``; so does each further wait of the transaction.
    """
    if seconds:
        wait_at_most(connection, seconds=seconds)
    _LOCK.rows(connection, name=f"etl {name}")


def lock_source(connection: Connection, source: str) -> None:
    """Be the only writer of a source until the end of the transaction, waiting for another one (contract, rule 9)."""
    name = f"source {source}"
    [(is_free,)] = _TRY.rows(connection, name=f"etl {name}")
    if not is_free:
        structlog.get_logger().warning("waiting for another process that writes this source", source=source)
        lock(connection, name)


def wait_at_most(connection: Connection, *, seconds: int) -> None:
    """For the rest of the transaction wait no longer for any lock (0: to the end), then raise ``DBAPIError``."""
    connection.execute(select(func.set_config("lock_timeout", f"{seconds}s", True)))  # noqa: FBT003


def key_of(name: str) -> ColumnElement[int]:
    """Locks of the database server are numbers, and of all programs together."""
    return func.hashtextextended(literal("etl " + name), 0)


_KEY = func.hashtextextended(bindparam("name", type_=Text), 0)
_LOCK = Statement(select(func.pg_advisory_xact_lock(_KEY)))
_TRY = Statement(select(func.pg_try_advisory_xact_lock(_KEY)))
