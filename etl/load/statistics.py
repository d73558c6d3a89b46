"""Tells the planner of Postgres what a large load has brought: the first questions need not wait for autovacuum."""

from sqlalchemy import Connection, text

from etl.database.driver import run_script

_STALE = text(
    """
    SELECT s.relid::regclass::text
      FROM pg_stat_user_tables s
      JOIN pg_class c ON c.oid = s.relid
     WHERE s.schemaname IN ('raw', 'core') AND s.n_mod_since_analyze > 500 + s.n_live_tup / 5
       AND pg_has_role(c.relowner, 'USAGE')
     ORDER BY s.relid
    """
)
"""Tables of which more than a fifth is news to the planner."""


def refresh(connection: Connection) -> list[str]:
    """Analyse the tables that a load changed much, in the caller's transaction; returns their names."""
    names = list(connection.scalars(_STALE))
    if names:
        run_script(connection, f"ANALYZE {', '.join(names)}")
    return names
