"""What only the driver can do: SQL text as it stands, several statements in one round trip, COPY.

Its errors leave here as those of SQLAlchemy do, so that nobody above has to know two kinds.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, Executable
from sqlalchemy.exc import DBAPIError


def run_script(connection: Connection, sql: str) -> None:
    """Run SQL text, of one statement or several: per cent signs and colons in it are no parameters.

    Raises ``DBAPIError``.
    """
    with _driver(connection) as driver:
        # The type of execute wants a literal, so that nobody builds SQL from input; ours comes from our own files.
        driver.execute(sql.encode())


class Statement:
    """A statement that is compiled once and run often: written as an expression, without its price at every run.

    Its parameters are named ``bindparam``s. ``schema`` is where the tables of ``core`` are. Not for columns whose
    values SQLAlchemy itself converts, such as JSON.
    """

    def __init__(self, statement: Executable, schema: str = "core") -> None:
        self._statement = statement
        self._schema = schema
        self._compiled: tuple[bytes, dict[str, Any]] | None = None
        self._required: frozenset[str] = frozenset()

    def rows(self, connection: Connection, **values: Any) -> list[Any]:
        """Run it, and give the rows that it returns, if it returns any. Raises ``DBAPIError``."""
        sql, constants = self._compiled or self._compile(connection)
        if missing := self._required - values.keys():
            raise KeyError(f"a statement is run without {', '.join(sorted(missing))}")
        with _driver(connection) as driver, driver.cursor() as cursor:
            cursor.execute(sql, constants | values)
            return cursor.fetchall() if cursor.description else []

    def _compile(self, connection: Connection) -> tuple[bytes, dict[str, Any]]:
        places = {"core": self._schema}
        how = {"schema_translate_map": places, "render_schema_translate": True}
        compiled = self._statement.compile(  # type: ignore[attr-defined]
            dialect=connection.dialect, **how, compile_kwargs={"render_postcompile": True}
        )
        self._required = frozenset(name for name, bind in compiled.binds.items() if bind.required)
        self._compiled = compiled.string.encode(), dict(compiled.params)
        return self._compiled


def copy_in(connection: Connection, table: str, columns: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Put rows into a table in one round trip. Raises ``DBAPIError``."""
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode()
    with _driver(connection) as driver, driver.cursor() as cursor, cursor.copy(statement) as sink:
        for row in rows:
            sink.write_row(row)


def copy_text(connection: Connection, statement: str, pieces: Iterable[bytes]) -> None:
    """Run a COPY FROM STDIN that reads these pieces. Raises ``DBAPIError``."""
    with _driver(connection) as driver, driver.cursor() as cursor, cursor.copy(statement.encode()) as sink:
        for piece in pieces:
            sink.write(piece)


def copy_out(connection: Connection, query: str) -> Iterator[bytes]:
    """The rows of a query as lines of CSV without a heading, a line each, as they come from the server.

    A null is nothing, an empty text is ``""``. Raises ``DBAPIError``.
    """
    statement = f"COPY ({query}) TO STDOUT (FORMAT csv)".encode()
    with _driver(connection) as giving, giving.cursor() as out, out.copy(statement) as lines:
        yield from map(bytes, lines)


def copy_across(source: Connection, target: Connection, table: str, columns: Iterable[str]) -> None:
    """Put all rows of a table into the same one of another database, piece by piece. Raises ``DBAPIError``."""
    place = f"COPY {table} ({', '.join(columns)})"
    with _driver(source) as giving, _driver(target) as taking, giving.cursor() as out, taking.cursor() as into:
        written = into.copy(f"{place} FROM STDIN (FORMAT binary)".encode())
        with out.copy(f"{place} TO STDOUT (FORMAT binary)".encode()) as pieces, written as sink:
            for piece in pieces:
                sink.write(piece)


@contextmanager
def _driver(connection: Connection) -> Iterator[psycopg.Connection[Any]]:
    """The psycopg connection beneath an open SQLAlchemy connection, in the same transaction."""
    found = connection.connection.driver_connection
    assert isinstance(found, psycopg.Connection)  # noqa: S101  an open connection has one
    try:
        yield found
    except psycopg.Error as error:
        raise DBAPIError(None, None, error) from error
