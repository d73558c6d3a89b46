"""The tables of a history that was rebuilt elsewhere, in a schema of its own: like those of ``core``, as believed.

There is one clock less, because nothing was ever believed otherwise, and one table more: the snapshots that were read.
"""

import re

from sqlalchemy import Column, Connection, Inspector, Integer, MetaData, Table, Text, inspect, text
from sqlalchemy.schema import CreateSchema

from etl.errors import ConfigurationError
from etl.load.comparing import SET_ASIDE
from etl.load.relations import HISTORY
from etl.load.tables import TIMESTAMP
from etl.load.tables import snapshot as log

RESERVED = ("raw", "core", "mart", "public", "information_schema")

_READ = ("source", "snapshot_id", "observed_at", "status")


def tables(schema: str) -> MetaData:
    """Every table, as it stands in a schema."""
    metadata = MetaData(schema=schema)
    for relation in HISTORY:
        columns = [Column(each.name, each.type, nullable=each.nullable) for each in relation.stage.c]
        period = [Column("valid_from", TIMESTAMP, nullable=False), Column("valid_to", TIMESTAMP)]
        Table(relation.name, metadata, Column("source", Text, nullable=False), *columns, *period)
    for table in SET_ASIDE:
        Table(table.name, metadata, *(Column(each.name, each.type, nullable=each.nullable) for each in table.c))
    Table(
        "snapshot",
        metadata,
        *(
            Column(name, log.c[name].type, nullable=False)
            for name in ("source", "snapshot_id", "observed_at", "status")
        ),
        Column("failure", Text),
    )
    # Which parts of which table are there already: a task that is done again puts nothing in twice.
    Table("part", metadata, Column("name", Text, primary_key=True), Column("number", Integer, primary_key=True))
    return metadata


def create(connection: Connection, schema: str) -> None:
    """Make the tables anew and empty. Raises ``ConfigurationError`` for a schema that holds anything else."""
    require_ours(connection, schema)
    connection.execute(CreateSchema(schema, if_not_exists=True))
    metadata = tables(schema)
    metadata.drop_all(connection)
    metadata.create_all(connection)


def require_ours(connection: Connection, schema: str) -> None:
    """Raise ``ConfigurationError`` unless a schema is not there, empty, or holds a rebuilt history and nothing else."""
    if not re.fullmatch("[a-z_][a-z0-9_]{0,62}", schema):
        raise ConfigurationError(f"{schema} is no name of a schema: write up to 63 of a to z, 0 to 9 and _")
    if schema in RESERVED or schema.startswith("pg_"):
        raise ConfigurationError(f"the schema {schema} is not for rebuilt histories: name another, which is made")
    foreign = _foreign(connection, inspect(connection), schema)
    if foreign:
        raise ConfigurationError(f"the schema {schema} holds {foreign}, which is not ours: name another, which is made")


def require_there(connection: Connection, schema: str) -> None:
    """Raise ``ConfigurationError`` unless a schema holds a rebuilt history."""
    require_ours(connection, schema)
    there = set(inspect(connection).get_table_names(schema))
    missing = {table.name for table in tables(schema).tables.values()} - there
    if missing:
        raise ConfigurationError(
            f"the schema {schema} holds no rebuilt history: `etl rebuild --output DIR --into {schema}` makes one"
        )


def _foreign(connection: Connection, inspector: Inspector, schema: str) -> str | None:
    """Something in a schema that is none of our tables with just our columns; null when there is nothing else."""
    ours = {table.name: set(table.c.keys()) for table in tables(schema).tables.values()}
    for name in connection.scalars(_THERE, {"schema": schema}):
        if name not in ours or {each["name"] for each in inspector.get_columns(name, schema)} != ours[name]:
            return str(name)
    return None


_THERE = text(
    """
    SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(:schema) AND relkind NOT IN ('i', 't')
    UNION ALL
    SELECT proname FROM pg_proc WHERE pronamespace = to_regnamespace(:schema)
     ORDER BY 1
    """
)
