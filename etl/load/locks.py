"""Locks of one warehouse, each a row of ``core.lock``: who holds one is alone in it until its transaction ends.

A reader of the mart has no right on ``core`` and can take none of them. An advisory lock, which these once were, is
anybody's who may connect: ``SELECT pg_advisory_lock(…)`` of an analyst stopped every load.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import cast

import structlog
from sqlalchemy import Connection, Engine, Text, bindparam, func, select, text, true
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError, InvalidRequestError

from etl.database.driver import Statement
from etl.load.tables import lock as lock_table

_SILENT_SECONDS = 1.0
"""How long a wait is nothing to report: two loads that end at the same moment wait for each other."""

_PAUSE_SECONDS = 0.02


def lock(connection: Connection, name: str, *, seconds: int = 0) -> None:
    """Be alone in what the name stands for until the end of the transaction, waiting for another one.

    A wait of more than a second is logged with the session that holds the lock. After ``seconds`` without it, 0 for
    never, raise ``DBAPIError``; so does each further wait of the transaction.
    """
    if seconds:
        wait_at_most(connection, seconds=seconds)
    silent_until = time.monotonic() + _SILENT_SECONDS
    while not try_lock(connection, name):
        if time.monotonic() > silent_until:
            who = holder(connection, name)
            structlog.get_logger().warning("waiting for another process", lock=name, holder=who)
            _LOCK.rows(connection, name=name)
            return
        time.sleep(_PAUSE_SECONDS)


def lock_source(connection: Connection, source: str) -> None:
    """Be the only writer of a source until the end of the transaction, waiting for another one (contract, rule 9)."""
    lock(connection, f"source {source}")


def try_lock(connection: Connection, name: str) -> bool:
    """Take the lock until the end of the transaction, or return False at once when another one has it."""
    if _TRY.rows(connection, name=name):
        return True
    if _IS_THERE.rows(connection, name=name):
        return False
    # In a transaction of its own: two that add one row wait for each other until the first of them commits.
    with connection.engine.begin() as adding:
        _ADD.rows(adding, name=name)
    return bool(_TRY.rows(connection, name=name))


@contextmanager
def held(engine: Engine, name: str, *, patience: float = 0) -> Iterator[Connection | None]:
    """Hold a lock over several transactions, in one open transaction on a connection of its own; null when it is taken.

    The server frees it when the process dies, and after ``patience`` seconds (0: never) in which a process that hangs
    did not ``renew`` it. Works through a pooler of transactions as well, unlike a lock of the session.
    """
    with engine.connect() as connection:
        limit = func.set_config("idle_in_transaction_session_timeout", f"{patience:.0f}s", true())
        connection.execute(select(limit))
        try:
            yield connection if try_lock(connection, name) else None
        finally:
            # What the server has ended already holds nothing.
            with suppress(DBAPIError, InvalidRequestError):
                connection.rollback()


def renew(connection: Connection) -> None:
    """Make sure that a lock is still ``held``, for as long as its patience again. Raises ``DBAPIError``."""
    connection.execute(select(1))


def holder(connection: Connection, name: str) -> str:
    """The session that holds a lock, as far as we may see it: ``pid 12, role etl_loader, etl, since 09:30:00Z``."""
    return cast("str", connection.scalar(_HOLDER, {"name": name}) or "another session")


def wait_at_most(connection: Connection, *, seconds: int) -> None:
    """For the rest of the transaction wait no longer for any lock (0: to the end), then raise ``DBAPIError``."""
    connection.execute(select(func.set_config("lock_timeout", f"{seconds}s", true())))


_NAME = bindparam("name", type_=Text)
_ROW = select(lock_table.c.name).where(lock_table.c.name == _NAME)
_IS_THERE = Statement(_ROW)
_LOCK = Statement(_ROW.with_for_update())
_TRY = Statement(_ROW.with_for_update(skip_locked=True))
_ADD = Statement(upsert(lock_table).values(name=_NAME).on_conflict_do_nothing())

_HOLDER = text(
    """
    SELECT concat_ws(', ', 'pid ' || a.pid, 'role ' || a.usename, nullif(a.application_name, ''),
                     'since ' || to_char(a.xact_start, 'HH24:MI:SSZ'))
      FROM core.lock l
      JOIN pg_locks t ON t.locktype = 'transactionid' AND t.granted AND t.transactionid = l.xmax
      JOIN pg_stat_activity a ON a.pid = t.pid
     WHERE l.name = :name
    """
)
"""A row that is locked names the transaction that did it. Since when is only shown of our own role's sessions."""
