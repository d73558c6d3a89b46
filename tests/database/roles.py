"""Roles of a server for tests: made with names that want quoting, gone afterwards."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from psycopg import sql
from sqlalchemy import URL, Engine

from etl.database.driver import run_script
from etl.database.engine import open_engine

PASSWORD = "only-for-tests"


class Role(NamedTuple):
    """A login role: its name, and as SQL wants it."""

    name: str
    quoted: str

    def on(self, url: URL) -> Engine:
        """A database as this role."""
        return open_engine(url.set(username=self.name, password=PASSWORD))


@contextmanager
def login_role(server: URL, name: str = 'Al-"ice" d\'Or %s:x') -> Iterator[Role]:
    """A role that may log in and nothing else; what it was granted has to be gone when it goes."""
    role = f"{name} {uuid.uuid4().hex[:8]}"
    quoted = sql.Identifier(role).as_string()
    execute(server, f"CREATE ROLE {quoted} LOGIN PASSWORD '{PASSWORD}'")
    try:
        yield Role(role, quoted)
    finally:
        execute(server, f"DROP ROLE {quoted}")


def execute(url: URL, script: str) -> None:
    """Run SQL as whoever the URL names."""
    with open_engine(url).begin() as connection:
        run_script(connection, script)
