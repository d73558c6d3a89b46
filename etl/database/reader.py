"""Who may read: the group role of the mart's readers, what it is granted, and who belongs to it.

A role belongs to the whole server, so that another database may be making or granting it at the same moment.
"""

from psycopg.errors import InsufficientPrivilege, InvalidGrantOperation
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from etl.database.driver import run_script
from etl.database.schema_lock import lock_schema, may_lock
from etl.errors import DatabaseError

READER = "etl_reader"

CREATE = f"CREATE ROLE {READER} NOLOGIN;"

MAY_READ = (
    f"GRANT USAGE ON SCHEMA mart TO {READER};",
    f"GRANT SELECT ON ALL TABLES IN SCHEMA mart TO {READER};",
    f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA mart TO {READER};",
)

LIMITS = {"statement_timeout": "60s", "idle_in_transaction_session_timeout": "60s"}
"""What a reader's login begins with, so that no question is forgotten; who reads may say otherwise in a session."""

_TRIES = 5

_RACES = ("23505", "42710", "XX000")
"""What is said to one of two that make or grant a role at once: the row is there already, or is being written."""


def let_read(connection: Connection) -> None:
    """Give the readers the mart, all of it and nothing else, if there is such a role; others have to be granted it."""
    run_script(connection, "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA mart FROM PUBLIC")
    if _quoted(connection, READER):
        run_script(connection, " ".join(MAY_READ))


def grant(engine: Engine, user: str) -> list[str]:
    """Let a role of the server read the mart; gives the statements that it took, none when it could already.

    Raises ``DatabaseError`` with the statements that somebody else has to run, when we may not, or nobody is called so.
    """
    for _ in range(_TRIES - 1):
        try:
            return _grant(engine, user)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _RACES:
                raise
    return _grant(engine, user)


def _grant(engine: Engine, user: str) -> list[str]:
    with engine.begin() as connection:
        if may_lock(connection):
            lock_schema(connection)
        statements = _missing(connection, user)
        _administer(connection, statements)
        # Who has some right on the mart and may not pass it on is only warned by the server.
        if rest := _missing(connection, user):
            raise _refused(rest)
        return [*statements, *_limit(connection, user)]


def _limit(connection: Connection, user: str) -> list[str]:
    """Give a login that has no limits yet those of a reader, if we may; gives the statements that it took."""
    statements = list(connection.scalars(_UNLIMITED, {"user": user, "names": [*LIMITS], "limits": [*LIMITS.values()]}))
    try:
        with connection.begin_nested():
            run_script(connection, " ".join(statements))
    except DBAPIError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        return []
    return statements


def _missing(connection: Connection, user: str) -> list[str]:
    """The statements that a role still needs to read the mart. Raises ``DatabaseError`` when there is no such role."""
    member = _quoted(connection, user)
    if member is None:
        name = connection.scalar(text("SELECT quote_ident(:user)"), {"user": user})
        remedy = f"CREATE ROLE {name} LOGIN PASSWORD '…';"
        raise DatabaseError(f"the server has no role {user}: let an administrator run {remedy} and repeat this")
    joining = f"GRANT {READER} TO {member};"
    if _quoted(connection, READER) is None:
        return [CREATE, *MAY_READ, joining]
    has_mart, is_member = connection.execute(_STATE, {"reader": READER, "user": user}).one()
    return [*(() if has_mart else MAY_READ), *(() if is_member else (joining,))]


def _administer(connection: Connection, statements: list[str]) -> None:
    try:
        run_script(connection, " ".join(statements))
    except DBAPIError as error:
        if isinstance(error.orig, InvalidGrantOperation):
            raise DatabaseError(str(error.orig.diag.message_primary)) from None
        if isinstance(error.orig, InsufficientPrivilege):
            raise _refused(statements) from None
        raise


def _refused(statements: list[str]) -> DatabaseError:
    return DatabaseError(f"we have no right to grant this: let an administrator run {' '.join(statements)}")


def _quoted(connection: Connection, role: str) -> str | None:
    """The name of a role as SQL wants it; null when the server has no such role."""
    query = text("SELECT quote_ident(rolname) FROM pg_roles WHERE rolname = :role")
    found: str | None = connection.scalar(query, {"role": role})
    return found


_STATE = text(
    """
    SELECT has_schema_privilege(reader.oid, 'mart', 'USAGE')
           AND NOT EXISTS (SELECT FROM pg_class c
                            WHERE c.relnamespace = 'mart'::regnamespace AND c.relkind IN ('v', 'm')
                              AND NOT has_table_privilege(reader.oid, c.oid, 'SELECT'))
           AND NOT EXISTS (SELECT FROM pg_proc p
                            WHERE p.pronamespace = 'mart'::regnamespace
                              AND NOT has_function_privilege(reader.oid, p.oid, 'EXECUTE')) AS has_mart,
           EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member
                    WHERE m.roleid = reader.oid AND r.rolname = :user) AS is_member
      FROM pg_roles reader
     WHERE reader.rolname = :reader
    """
)

_UNLIMITED = text(
    """
    SELECT format('ALTER ROLE %I IN DATABASE %I SET %I = %L;',
                  reader.rolname, current_database(), wanted.name, wanted.value)
      FROM pg_roles reader,
           unnest(CAST(:names AS text[]), CAST(:limits AS text[])) WITH ORDINALITY wanted (name, value, number)
     WHERE reader.rolname = :user AND reader.rolcanlogin
       AND NOT EXISTS (SELECT FROM pg_db_role_setting s, unnest(s.setconfig) setting
                        WHERE s.setrole = reader.oid AND setting LIKE wanted.name || '=%')
     ORDER BY wanted.number
    """
)
