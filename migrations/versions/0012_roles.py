"""Locks that a reader cannot take: rows of a table in place of advisory locks."""

from alembic import op

revision = "0012"
down_revision = "0007"
branch_labels = None
depends_on = None

BASKET = "core.refresh_basket(text, timestamptz)"

ADVISORY = "SELECT pg_advisory_xact_lock(hashtextextended(''etl basket '' || $1, 0));"

ROW = """INSERT INTO core.lock (name) VALUES (''basket '' || $1) ON CONFLICT DO NOTHING;
SELECT FROM core.lock l WHERE l.name = ''basket '' || $1 FOR UPDATE;"""


def upgrade() -> None:
    """Add the locks to ``core``, and take them where the database itself takes one."""
    op.execute("CREATE TABLE core.lock (name text CONSTRAINT lock_pkey PRIMARY KEY)")
    _say_otherwise(ADVISORY, ROW)


def _say_otherwise(former: str, new: str) -> None:
    """Change one statement of the function that refreshes a basket, whatever else later revisions made of it."""
    op.execute(
        f"""
        DO $do$ BEGIN
            EXECUTE replace(pg_get_functiondef('{BASKET}'::regprocedure), '{former}', '{new}');
        END $do$
        """
    )


def downgrade() -> None:
    """Go back to advisory locks."""
    _say_otherwise(ROW, ADVISORY)
    op.execute("DROP TABLE core.lock")
