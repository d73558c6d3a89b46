"""Runs the revisions: one transaction for each, one migration at a time, never waiting long for a reader's lock."""

from alembic import context
from sqlalchemy import Connection, text

from etl.database.engine import database_url, open_engine
from etl.database.schema_lock import schema_locked
from etl.load import relations


def migrate(connection: Connection) -> None:
    """Run what is asked for on this connection, alone."""
    with schema_locked(connection.engine):
        connection.execute(text("SET lock_timeout = '10s'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=relations.metadata,
            include_schemas=True,
            version_table="schema_revision",
            version_table_schema="public",
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    with open_engine(database_url(context.get_x_argument(as_dictionary=True)["url"], "-x url")).connect() as opened:
        migrate(opened)
