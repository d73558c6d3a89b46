"""Runs the SQL of a document, and reads the answer as psql prints it: every value in the server's own words."""

import psycopg
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import Connection


def answer(connection: Connection, code: str) -> list[list[str]] | None:
    """The headings and the rows of the last statement, or None when it gives none. The code is run as it stands."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    with driver.cursor() as cursor:
        cursor.execute(code.encode())
        while cursor.nextset():
            pass
        result = cursor.pgresult
    if result is None or result.status != ExecStatus.TUPLES_OK:
        return None
    columns = range(result.nfields)
    headings = [(result.fname(column) or b"").decode() for column in columns]
    return [headings, *([_cell(result, row, column) for column in columns] for row in range(result.ntuples))]


def _cell(result: PGresult, row: int, column: int) -> str:
    """A value as text; null is empty, as psql prints it."""
    return (result.get_value(row, column) or b"").decode().strip()
