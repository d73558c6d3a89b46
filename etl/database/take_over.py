"""Makes the roles of the embedded warehouse, and gives them the database: a new one, or one of an earlier version.

Its superuser owned everything once and did everything; now it does this and no more.
"""

from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import errors, sql

from etl.database.cluster import OWNER, VIEWER, Cluster
from etl.database.contact import connect
from etl.database.loader import LOADER
from etl.database.reader import LIMITS, READER
from etl.errors import DatabaseError

SCRIPT = Path(__file__).with_suffix(".sql")

_CREATEROLE_IS_LIMITED = 160_000
"""Before this version who may make roles may make himself anything but a superuser, and is soon more than that."""

_VIEWERS = 20
"""Connections of the reader's login: of the fifty there are, some are left for those who load."""


_READERS = """
select r.rolname from pg_auth_members m join pg_roles r on r.oid = m.member
 where m.roleid = %s::regrole and r.rolname not in (%s, %s) and not r.rolsuper
"""


def take_over(cluster: Cluster, port: int, database: str) -> None:
    """Have the database, the roles with their passwords, and the owner as owner; safe to repeat and to race.

    Raises ``DatabaseError`` when somebody uses the tables for so long that they cannot change hands.
    """
    with connect(cluster, port) as connection, suppress(errors.DuplicateDatabase, errors.UniqueViolation):
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(database)))
    with connect(cluster, port, database) as connection, connection.transaction():
        connection.execute("set local lock_timeout = '10s'")
        # One process at a time; a reader cannot lock it.
        connection.execute("lock table pg_catalog.pg_authid in share update exclusive mode")
        _make_roles(connection, cluster)
        try:
            connection.execute(SCRIPT.read_bytes())
        except errors.LockNotAvailable:
            raise DatabaseError(
                f"the warehouse at port {port} cannot be given to the role {OWNER} while somebody uses it: "
                "end other programs that are connected to it, or run `etl db stop`, and try again"
            ) from None


def _make_roles(connection: psycopg.Connection, cluster: Cluster) -> None:
    """Four roles, three of which may log in; only verifiers of their passwords are sent."""
    there = {name for (name,) in connection.execute("select rolname from pg_roles").fetchall()}
    for role in (READER, OWNER, LOADER, VIEWER):
        if role not in there:
            connection.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
    for role in (OWNER, LOADER, VIEWER):
        verifier = connection.pgconn.encrypt_password(cluster.password(role).encode(), role.encode(), b"scram-sha-256")
        login = sql.SQL("alter role {} login password {}")
        connection.execute(login.format(sql.Identifier(role), sql.Literal(verifier.decode())))
    connection.execute(f"grant {READER} to {OWNER} with admin option".encode())
    connection.execute(f"grant {READER} to {VIEWER}; alter role {VIEWER} connection limit {_VIEWERS}".encode())
    for setting, value in (LIMITS | {"temp_file_limit": "1GB"}).items():
        connection.execute(f"alter role {VIEWER} set {setting} = '{value}'".encode())
    if connection.info.server_version >= _CREATEROLE_IS_LIMITED:
        _let_make_logins(connection)


def _let_make_logins(connection: psycopg.Connection) -> None:
    """Let the owner make logins for people, by `etl db psql`, and care for those that the superuser made."""
    connection.execute(f"alter role {OWNER} createrole".encode())
    readers = connection.execute(_READERS, [READER, OWNER, VIEWER]).fetchall()
    for (role,) in readers:
        care = sql.SQL("grant {} to {} with admin true, inherit false, set false")
        connection.execute(care.format(sql.Identifier(role), sql.Identifier(OWNER)))
