"""Installs the mart: views and functions from ``etl/mart/*.sql``, replaced in place where Postgres can, never migrated.

The files run in order of their names, one object each, named as the file is after its number; ``glossary.toml`` has
the meaning of each column. The digest of all of them is the comment of the schema, so that an older mart is
recognised; ``core.mart_object`` has the digests of each object, so that one that is as it should be is not touched.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

from psycopg.errors import AmbiguousFunction, InvalidFunctionDefinition, InvalidTableDefinition, WrongObjectType
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from etl.database import mart_record, reader
from etl.database.dependents import Dependent, Object, hanging_on
from etl.database.driver import run_script
from etl.database.grants import Grant, grant_again, granted
from etl.database.mart_record import pin_path
from etl.errors import DatabaseError

FOLDER = Path(__file__).parent.parent / "mart"
DERIVED = Path(__file__).parent.parent / "load" / "derived"
"""What the mart reads is derived by these; it is derived anew where they are others."""

_IN_PLACE = re.compile(r"^CREATE (VIEW|FUNCTION) ", re.MULTILINE)
_MENTIONED = re.compile(r"\bmart\.(\w+)")
_NOT_IN_PLACE = (AmbiguousFunction, InvalidFunctionDefinition, InvalidTableDefinition, WrongObjectType)
"""What Postgres answers when columns, types, arguments or the result of a function are others than before."""


def digest() -> str:
    """What the files say now, as the mark that an installed mart carries."""
    files = sorted([*FOLDER.glob("*.sql"), *DERIVED.glob("*.sql"), FOLDER / "glossary.toml"])
    version = hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]
    return (
        f"What analysts and BI tools read; replaced at an upgrade: keep views of your own elsewhere. Version {version}."
    )


def installed(connection: Connection) -> str | None:
    """The mark of the mart in this database, or null when there is none."""
    mark: str | None = connection.scalar(text("SELECT obj_description(to_regnamespace('mart'), 'pg_namespace')"))
    return mark


def added(connection: Connection) -> list[str]:
    """Return the names of what somebody else created in the mart; the next upgrade drops it."""
    names = {row.name for row in connection.execute(_OBJECTS, {"names": None})}
    return sorted(names - {_name(file) for file in FOLDER.glob("*.sql")})


def install(connection: Connection) -> None:
    """Bring the mart to what the files say, in the caller's transaction.

    Only objects that differ are touched, and only those are dropped whose columns or arguments are not those of before.
    Raises ``DatabaseError``, naming all of them, when objects of others hang on what has to be dropped.
    """
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS mart"))
    pin_path(connection)
    grants = granted(connection)
    files = {_name(file): file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.sql"))}
    stale = _stale(connection, files)
    in_the_way: dict[str, Dependent] = {}
    for name, sql in files.items():
        found = _objects(connection, [name])
        if not found:
            run_script(connection, sql)
        elif name in stale and not _replaced(connection, name, sql):
            in_the_way |= _removed(connection, found)
            run_script(connection, sql)
    wanted = _objects(connection, files)
    in_the_way |= _removed(connection, [each for each in _objects(connection, None) if each not in wanted])
    if in_the_way:
        names = "; ".join(map(str, in_the_way.values()))
        remedy = "`etl db dependents` prints the SQL that drops them and creates them again: drop, upgrade, create"
        raise DatabaseError(f"the mart cannot be replaced, because others hang on it: {names}; {remedy}")
    _finish(connection, files, grants)


def _finish(connection: Connection, files: dict[str, str], grants: list[Grant]) -> None:
    """Comment, let read, and record what is installed."""
    _comment(connection)
    reader.let_read(connection)
    grant_again(connection, grants)
    mart_record.record(connection, {name: _digest(sql) for name, sql in files.items()})
    run_script(connection, f"COMMENT ON SCHEMA mart IS '{digest()}'")


def _stale(connection: Connection, files: dict[str, str]) -> set[str]:
    """Which objects to run again: those that differ, and those that mention one of them and may depend on it."""
    recorded = mart_record.files(connection)
    stale = {name for name, sql in files.items() if recorded.get(name) != _digest(sql)} | set(
        mart_record.drifted(connection)
    )
    for name, sql in files.items():
        if stale & set(_MENTIONED.findall(sql)):
            stale.add(name)
    return stale


def _name(file: Path) -> str:
    return file.stem.partition("_")[2]


def _digest(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()[:16]


def _replaced(connection: Connection, name: str, sql: str) -> bool:
    """Replace an object in place; false, and nothing is changed, where that is not possible."""
    before = _objects(connection, [name])
    attempt = connection.begin_nested()
    try:
        run_script(connection, _IN_PLACE.sub(r"CREATE OR REPLACE \1 ", sql))
    except DBAPIError as error:
        attempt.rollback()
        if not isinstance(error.orig, _NOT_IN_PLACE):
            raise
        return False
    # A function with other arguments is another function, which stands beside the former one.
    is_the_same = _objects(connection, [name]) == before
    attempt.commit() if is_the_same else attempt.rollback()
    return is_the_same


def _removed(connection: Connection, objects: list[Object]) -> dict[str, Dependent]:
    """Drop objects of the mart and what of ours hangs on them; return what others have there, by name.

    That is dropped as well, to find out what else is in the way: the caller has to undo it all.
    """
    hanging = hanging_on(connection, objects)
    others = {each.name: each for each in hanging if not each.is_ours}
    drops = [each.drop for each in reversed(hanging)] if not others else []
    # Without CASCADE, what somebody creates at this very moment is an error and not lost.
    mode = "CASCADE" if others else "RESTRICT"
    for drop in (*drops, *connection.scalars(_DROPS, {"ids": [id_ for _, id_ in objects], "mode": mode})):
        run_script(connection, str(drop))
    return others


def _objects(connection: Connection, names: Iterable[str] | None) -> list[Object]:
    """The objects of the mart of these names, or all."""
    found = connection.execute(_OBJECTS, {"names": None if names is None else list(names)})
    return [(row.catalog, row.id) for row in found]


def _comment(connection: Connection) -> None:
    """Put its meaning at every column that has another comment. One without an entry in the glossary is our mistake."""
    glossary = tomllib.loads((FOLDER / "glossary.toml").read_text(encoding="utf-8"))
    quote = connection.dialect.identifier_preparer.quote
    for view, column, comment in connection.execute(_COLUMNS).all():
        meaning = glossary.get(view, {}).get(column) or glossary["columns"][column]
        if meaning != comment:
            literal = meaning.replace("'", "''")
            run_script(connection, f"COMMENT ON COLUMN mart.{quote(view)}.{quote(column)} IS '{literal}'")


_OBJECTS = text(
    """
    SELECT 'pg_class'::regclass::oid::bigint AS catalog, oid::bigint AS id, relname AS name
      FROM pg_class WHERE relnamespace = to_regnamespace('mart') AND relkind IN ('v', 'm')
       AND (CAST(:names AS text[]) IS NULL OR relname = ANY (:names))
    UNION ALL
    SELECT 'pg_proc'::regclass::oid::bigint, oid::bigint, proname
      FROM pg_proc WHERE pronamespace = to_regnamespace('mart')
       AND (CAST(:names AS text[]) IS NULL OR proname = ANY (:names))
     ORDER BY 1, 2
    """
)

_DROPS = text(
    """
    SELECT format('DROP %s IF EXISTS %s %s', upper(ident.type), ident.identity, CAST(:mode AS text))
      FROM (SELECT 'pg_class'::regclass AS catalog, oid AS id FROM pg_class WHERE oid = ANY (CAST(:ids AS oid[]))
            UNION ALL
            SELECT 'pg_proc'::regclass, oid FROM pg_proc WHERE oid = ANY (CAST(:ids AS oid[]))) object
     CROSS JOIN LATERAL pg_identify_object(object.catalog, object.id, 0) ident
    """
)

_COLUMNS = text(
    """
    SELECT c.relname, a.attname, col_description(c.oid, a.attnum)
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relnamespace = to_regnamespace('mart') AND c.relkind IN ('v', 'm') AND a.attnum > 0
     ORDER BY c.relname, a.attnum
    """
)
