"""Separates errors that one snapshot causes from those of the database as such, which any other would meet as well."""

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from etl.errors import EtlError, in_short

_OF_THE_DATABASE = ("08", "25", "28", "3D", "40", "42", "53", "55", "57", "58", "F0")
"""Classes of SQLSTATE: connection, transaction, login, deadlock, rights, resources, locks, shutdown, system."""

_MAYBE_OURS = ("53200", "57014", "57P02")
"""Out of memory, a statement that took too long, a crash of the server: one snapshot may cause these every time."""


def is_of_the_database(error: Exception, connection: Connection | None = None) -> bool:
    """Whether the database refuses to work at all, rather than what we wrote, or has left ``connection``."""
    if connection is not None and (connection.closed or connection.invalidated):
        return True
    state = _state(error)
    if state is None:
        return isinstance(_cause(error), psycopg.OperationalError | psycopg.InterfaceError)
    return state.startswith(_OF_THE_DATABASE)


def is_passing(error: Exception) -> bool:
    """Whether no snapshot can have caused the error: a lock, a full disk, a server that was shut down."""
    state = _state(error)
    return state is not None and is_of_the_database(error) and state not in _MAYBE_OURS


def refusal(error: Exception) -> str:
    """What is wrong with a snapshot, in one line and without its data."""
    if isinstance(error, EtlError):
        return str(error)
    if isinstance(error, DBAPIError | psycopg.Error):
        primary = getattr(getattr(_cause(error), "diag", None), "message_primary", None)
        return f"the database refuses it: {primary or in_short(error)}"
    return f"it cannot be loaded ({in_short(error)}): please report this"


def _cause(error: Exception) -> object:
    return error.orig if isinstance(error, DBAPIError) else error


def _state(error: Exception) -> str | None:
    return getattr(_cause(error), "sqlstate", None)
