"""Roles of a server for tests: made with names that want quoting, gone afterwards."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from psycopg import sql
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import URL, Engine
from sqlalchemy.exc import DBAPIError

from etl.database.cluster import OWNER
from etl.database.driver import run_script
from etl.database.engine import open_engine
from etl.database.loader import LOADER
from etl.database.reader import READER

PASSWORD = "only-for-tests"


def make_roles(server: URL) -> None:
    """Have the owner, the loader and the readers on a server, whoever else makes them at the same moment."""
    for role, login in ((READER, "NOLOGIN"), (OWNER, "LOGIN"), (LOADER, "LOGIN")):
        execute(
            server,
            f"DO $$ BEGIN CREATE ROLE {role} {login} PASSWORD '{PASSWORD}';"
            " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$",
        )
    with suppress(DBAPIError):  # Of two that write one row at a time the second is refused; they write the same.
        execute(
            server,
            f"ALTER ROLE {OWNER} LOGIN PASSWORD '{PASSWORD}'; ALTER ROLE {LOADER} LOGIN PASSWORD '{PASSWORD}';"
            f"GRANT {READER} TO {OWNER} WITH ADMIN OPTION",
        )


def owner_of(url: URL) -> URL:
    """A database, for its owner."""
    return url.set(username=OWNER, password=PASSWORD)


def loader_of(url: URL) -> URL:
    """A database, for who loads."""
    return url.set(username=LOADER, password=PASSWORD)


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


def as_owner(engine: Engine) -> Engine:
    """The same warehouse for its owner: who tampers with history, or changes the schema."""
    return open_engine(owner_of(engine.url))


def refused(engine: Engine, statement: str) -> bool:
    """Return whether the server refuses a statement for want of rights."""
    with engine.connect() as connection:
        try:
            connection.exec_driver_sql(statement)
        except DBAPIError as error:
            return isinstance(error.orig, InsufficientPrivilege)
    return False
