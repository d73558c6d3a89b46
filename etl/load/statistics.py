"""Tells the planner of Postgres what a large load has brought: the first questions need not wait for autovacuum."""

from sqlalchemy import Connection, text

_ANALYSE = text("SELECT core.analyse()")


def refresh(connection: Connection) -> list[str]:
    """Analyse the tables that a load changed much, in the caller's transaction; returns their names."""
    return list(connection.scalars(_ANALYSE))
