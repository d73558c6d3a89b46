"""What only the driver can do: SQL text as it stands, several statements in one round trip, COPY."""

from typing import Any

import psycopg
from sqlalchemy import Connection


def driver(connection: Connection) -> psycopg.Connection[Any]:
    """The psycopg connection beneath an open SQLAlchemy connection, in the same transaction."""
    found = connection.connection.driver_connection
    assert isinstance(found, psycopg.Connection)  # noqa: S101  an open connection has one
    return found


def run_script(connection: Connection, sql: str) -> None:
    """Run SQL text, of one statement or several: per cent signs and colons in it are no parameters."""
    # The type of execute wants a literal, so that nobody builds SQL from input; ours comes from our own files.
    driver(connection).execute(sql.encode())
