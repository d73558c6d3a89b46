"""Runs the revisions: one transaction for each, one migration at a time, never waiting long for a reader's lock."""

from alembic import context
from sqlalchemy import Connection, create_engine, text

from etl.load import relations

ADVISORY_LOCK = 0x65746C5F6D696772  # "etl_migr": any constant that nobody else uses


def migrate(connection: Connection) -> None:
    """Run what is asked for on this connection, alone."""
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
    connection.execute(text("SET lock_timeout = '10s'"))
    connection.commit()
    try:
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
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})
        connection.commit()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    with create_engine(context.get_x_argument(as_dictionary=True)["url"]).connect() as opened:
        migrate(opened)
