"""Copies a whole warehouse into an empty database: every table and sequence of ``raw`` and ``core``, proven equal.

What there is to copy is asked of the catalog of the database, so that no table can be forgotten. The source is read as
it was at one moment; the target gets everything in one transaction or nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter

from sqlalchemy import Connection, Engine, text

from etl.database.driver import copy_across, run_script
from etl.database.engine import shown
from etl.errors import DatabaseError

CONFIGURED = (
    *("core.source", "core.fx_rate", "core.margin", "core.lock"),
    *("core.identity_mark", "core.suspicion_mark"),
)
"""What migrations and ``etl db upgrade`` write themselves: a database with nothing else in it counts as empty."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """The tables with their columns, those that others refer to first, and the sequences."""

    tables: dict[str, tuple[str, ...]]
    sequences: tuple[str, ...]


def require_empty(engine: Engine) -> None:
    """Raise ``DatabaseError`` unless the database has no warehouse in it, or one into which nothing ever came."""
    with engine.connect() as connection:
        _refuse_others(connection)
        _refuse_rows(connection, _layout(connection).tables)


def be_alone(connection: Connection) -> None:
    """Let no other session read or write the warehouse until the end of the transaction, sure that it has no rows.

    Raises ``DatabaseError`` when it has some, ``DBAPIError`` when another session keeps it for ten seconds.
    """
    run_script(connection, "SET LOCAL lock_timeout = '10s'")
    _refuse_others(connection)
    if names := connection.scalars(_LOCKABLE).all():
        run_script(connection, f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE")
    _refuse_rows(connection, _layout(connection).tables)


@contextmanager
def without_rules(connection: Connection) -> Iterator[None]:
    """Take away what is configured, references and triggers, so that tables can be filled in any order.

    At the end all references are there again and are checked.
    """
    tables = _layout(connection).tables
    references = connection.execute(_DEFINED_REFERENCES).all()
    for table, name, _ in references:
        run_script(connection, f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for table in tables:
        run_script(connection, f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for table in set(CONFIGURED) & tables.keys():
        run_script(connection, f"DELETE FROM {table}")  # noqa: S608  ours, from above
    yield
    for table, name, definition in references:
        run_script(connection, f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    for table in tables:
        run_script(connection, f"ALTER TABLE {table} ENABLE TRIGGER USER; ANALYZE {table}")


def transfer(source: Engine, target: Engine, progress: Progress) -> dict[str, int]:
    """Copy all rows of a warehouse into one of the same schema that is empty; gives how many by table.

    Raises ``DatabaseError`` when the target is not empty or does not hold the same afterwards; it is left as it was.
    """
    reading = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with source.connect().execution_options(**reading) as giving, target.begin() as taking:
        for connection in (giving, taking):
            run_script(connection, _ONE_SPELLING)
        layout = _layout(giving)
        if layout != _layout(taking):
            raise DatabaseError("the tables of the two databases differ: did somebody add or change some by hand?")
        _make_room(taking, layout.tables)
        rows = {}
        for count, (table, columns) in enumerate(layout.tables.items(), 1):
            copy_across(giving, taking, table, columns)
            rows[table] = _compare(giving, taking, table, columns)
            progress(count, len(layout.tables))
        _set_sequences(giving, taking, layout.sequences)
        for table in layout.tables:
            run_script(taking, f"ALTER TABLE {table} ENABLE TRIGGER USER; ANALYZE {table}")
    return rows


def _layout(connection: Connection) -> Layout:
    columns = {row.name: tuple(row.columns) for row in connection.execute(_TABLES)}
    graph: dict[str, set[str]] = {name: set() for name in columns}
    for table, other in connection.execute(_REFERENCES):
        graph[table].add(other)
    tables = {name: columns[name] for name in TopologicalSorter(graph).static_order()}
    return Layout(tables=tables, sequences=tuple(connection.scalars(_SEQUENCES).all()))


def _make_room(connection: Connection, tables: Iterable[str]) -> None:
    """Be alone in the target, sure that it is empty. Its own triggers rest: the rows are those that they let pass.

    Keys, references and checks are in force all the time.
    """
    run_script(connection, "SET LOCAL lock_timeout = '10s'")
    for table in tables:
        run_script(connection, f"ALTER TABLE {table} DISABLE TRIGGER USER")
    _refuse_rows(connection, tables)
    for table in CONFIGURED:
        run_script(connection, f"DELETE FROM {table}")  # noqa: S608  ours, from above


def _refuse_others(connection: Connection) -> None:
    is_ours = connection.scalar(text("SELECT to_regclass('public.schema_revision') IS NOT NULL"))
    there = connection.scalars(_SCHEMAS).all()
    if there and not is_ours:
        where = _name(connection.engine)
        raise DatabaseError(f"{where} has a schema {there[0]} of something else: name an empty database")


def _refuse_rows(connection: Connection, tables: Iterable[str]) -> None:
    for table in tables:
        any_row = text(f"SELECT EXISTS (SELECT FROM {table})")  # noqa: S608  a name as the catalog quotes it
        if table not in CONFIGURED and connection.scalar(any_row):
            where = _name(connection.engine)
            raise DatabaseError(f"{where} is not empty, it has rows in {table}: name an empty database")


def _compare(source: Connection, target: Connection, table: str, columns: tuple[str, ...]) -> int:
    """How many rows both have. Raises ``DatabaseError`` unless they are the same ones."""
    row = f"ROW({', '.join(columns)})::text"
    digest = f"('x' || left(encode(sha256(convert_to({row}, 'UTF8')), 'hex'), 15))::bit(60)::bigint"
    query = text(f"SELECT count(*), sum({digest}) FROM {table}")  # noqa: S608  names as the catalog quotes them
    count, there = source.execute(query).one()
    if (count, there) != tuple(target.execute(query).one()):
        raise DatabaseError(f"{table} did not arrive as it was: nothing was copied, try again")
    return int(count)


def _set_sequences(source: Connection, target: Connection, sequences: Iterable[str]) -> None:
    """What is numbered next goes on where it was."""
    for name in sequences:
        place = text(f"SELECT last_value, is_called FROM {name}")  # noqa: S608  a name as the catalog quotes it
        last, is_called = source.execute(place).one()
        setting = {"name": name, "last": last, "is_called": is_called}
        target.execute(text("SELECT setval(CAST(:name AS regclass), :last, :is_called)"), setting)


def _name(engine: Engine) -> str:
    return shown(engine.url)


_ONE_SPELLING = """
SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres';
SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1;
"""

_SCHEMAS = text("SELECT nspname FROM pg_namespace WHERE nspname IN ('raw', 'core', 'mart') ORDER BY nspname")

_TABLES = text(
    """
    SELECT format('%I.%I', n.nspname, c.relname) AS name,
           array_agg(quote_ident(a.attname) ORDER BY a.attname) AS columns
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
     WHERE n.nspname IN ('raw', 'core') AND c.relkind = 'r' AND c.oid IS DISTINCT FROM to_regclass('core.mart_object')
     GROUP BY n.nspname, c.relname
     ORDER BY n.nspname, c.relname
    """
)

"""What ``core.mart_object`` holds is true of one database only."""

_REFERENCES = text(
    """
    SELECT format('%I.%I', n.nspname, c.relname), format('%I.%I', other_n.nspname, other.relname)
      FROM pg_constraint k
      JOIN pg_class c ON c.oid = k.conrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_class other ON other.oid = k.confrelid
      JOIN pg_namespace other_n ON other_n.oid = other.relnamespace
     WHERE k.contype = 'f' AND c.oid <> other.oid AND n.nspname IN ('raw', 'core')
     ORDER BY 1, 2
    """
)

_DEFINED_REFERENCES = text(
    """
    SELECT format('%I.%I', n.nspname, c.relname), quote_ident(k.conname), pg_get_constraintdef(k.oid)
      FROM pg_constraint k
      JOIN pg_class c ON c.oid = k.conrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE k.contype = 'f' AND n.nspname IN ('raw', 'core')
     ORDER BY 1, 2
    """
)

_LOCKABLE = text(
    """
    SELECT format('%I.%I', n.nspname, c.relname)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname IN ('raw', 'core', 'mart') AND c.relkind IN ('r', 'v')
     ORDER BY n.nspname DESC, c.relname
    """
)

_SEQUENCES = text(
    """
    SELECT format('%I.%I', n.nspname, c.relname)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname IN ('raw', 'core') AND c.relkind = 'S' ORDER BY 1
    """
)
