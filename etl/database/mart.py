"""Installs the mart: views and functions from ``etl/mart/*.sql``, replaced as a whole, never migrated.

The files run in order of their names; ``glossary.toml`` says what each column means. The digest of all of them is
the comment of the schema, so that an older mart is recognised.
"""

import hashlib
import tomllib
from pathlib import Path

from psycopg.errors import DependentObjectsStillExist
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from etl.database import reader
from etl.database.driver import run_script
from etl.errors import DatabaseError

FOLDER = Path(__file__).parent.parent / "mart"
DERIVED = Path(__file__).parent.parent / "load" / "derived"
"""What the mart reads is derived by these; it is derived anew where they are others."""


def digest() -> str:
    """What the files say now, as the mark that an installed mart carries."""
    files = sorted([*FOLDER.glob("*.sql"), *DERIVED.glob("*.sql"), FOLDER / "glossary.toml"])
    version = hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]
    return f"What analysts and BI tools read; replaced as a whole at an upgrade. Version {version}."


def installed(connection: Connection) -> str | None:
    """The mark of the mart in this database, or null when there is none."""
    mark: str | None = connection.scalar(text("SELECT obj_description(to_regnamespace('mart'), 'pg_namespace')"))
    return mark


def install(connection: Connection) -> None:
    """Replace the mart, in the caller's transaction. Raises ``DatabaseError`` when something else hangs on it."""
    grants = connection.execute(_GRANTS).all()
    try:
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS mart"))
        for kind, identity in connection.execute(_OBJECTS).all():
            run_script(connection, f"DROP {kind} {identity}")
    except DBAPIError as error:
        if not isinstance(error.orig, DependentObjectsStillExist):
            raise
        detail = (error.orig.diag.message_detail or "something else hangs on it").replace("\n", "; ")
        raise DatabaseError(f"the mart cannot be replaced: {detail}; drop what hangs on it and run again") from None
    for file in sorted(FOLDER.glob("*.sql")):
        run_script(connection, file.read_text(encoding="utf-8"))
    _comment(connection)
    reader.let_read(connection)
    for identity, is_there, grant in grants:
        if connection.scalar(text(f"SELECT {is_there}(:identity)"), {"identity": identity}):
            run_script(connection, grant)
    run_script(connection, f"COMMENT ON SCHEMA mart IS '{digest()}'")


def _comment(connection: Connection) -> None:
    """Say at every column what it means. A column without an entry in the glossary is a mistake of ours."""
    glossary = tomllib.loads((FOLDER / "glossary.toml").read_text(encoding="utf-8"))
    quote = connection.dialect.identifier_preparer.quote
    for view, column in connection.execute(_COLUMNS).all():
        meaning = glossary.get(view, {}).get(column) or glossary["columns"][column]
        literal = meaning.replace("'", "''")
        run_script(connection, f"COMMENT ON COLUMN mart.{quote(view)}.{quote(column)} IS '{literal}'")


_OBJECTS = text(
    """
    SELECT CASE WHEN class.oid IS NOT NULL AND class.relkind = 'm' THEN 'MATERIALIZED VIEW'
                WHEN class.oid IS NOT NULL THEN 'VIEW' ELSE 'FUNCTION' END AS kind,
           coalesce(class.oid::regclass::text, routine.oid::regprocedure::text) AS identity
      FROM (SELECT 'pg_class'::regclass AS catalog, oid FROM pg_class
             WHERE relnamespace = to_regnamespace('mart') AND relkind IN ('v', 'm')
            UNION ALL
            SELECT 'pg_proc'::regclass, oid FROM pg_proc WHERE pronamespace = to_regnamespace('mart')) object
      LEFT JOIN pg_class class ON object.catalog = 'pg_class'::regclass AND class.oid = object.oid
      LEFT JOIN pg_proc routine ON object.catalog = 'pg_proc'::regclass AND routine.oid = object.oid
     ORDER BY object.oid DESC
    """
)
"""What the mart holds, the youngest first: what hangs on something was created after it."""

_GRANTS = text(
    """
    SELECT object.identity, object.is_there,
           format('GRANT %s ON %s %s TO %s%s', a.privilege_type, object.kind, object.identity,
                  CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                  CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) AS again
      FROM (SELECT 'TABLE' AS kind, 'to_regclass' AS is_there, format('mart.%I', relname) AS identity, relacl AS acl,
                   relowner AS owner
              FROM pg_class WHERE relnamespace = to_regnamespace('mart') AND relkind IN ('v', 'm')
            UNION ALL
            SELECT 'FUNCTION', 'to_regprocedure', oid::regprocedure::text, proacl, proowner
              FROM pg_proc WHERE pronamespace = to_regnamespace('mart')) object
     CROSS JOIN LATERAL aclexplode(object.acl) a
     WHERE a.grantee <> object.owner AND (object.kind = 'TABLE' OR a.grantee <> 0)
    """
)
"""What others were granted: it outlives the replacement of what they were granted it on, while there is such a thing.

Everybody may call a function unless somebody says otherwise, so that what everybody may do says nothing.
"""

_COLUMNS = text(
    """
    SELECT c.relname, a.attname
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relnamespace = to_regnamespace('mart') AND c.relkind IN ('v', 'm') AND a.attnum > 0
     ORDER BY c.relname, a.attnum
    """
)
