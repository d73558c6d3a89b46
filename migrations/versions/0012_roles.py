"""Owner, loader and readers apart: locks that a reader cannot take, and the one thing that only an owner may do."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

LOADER = "etl_loader"

BASKET = "core.refresh_basket(text, timestamptz)"

ADVISORY = "SELECT pg_advisory_xact_lock(hashtextextended(''etl basket '' || $1, 0));"

ROW = """INSERT INTO core.lock (name) VALUES (''basket '' || $1) ON CONFLICT DO NOTHING;
SELECT FROM core.lock l WHERE l.name = ''basket '' || $1 FOR UPDATE;"""

NAMES = ("alerts", "archive", "configuration", "feed", "identity", "watches")
"""The locks that every warehouse needs; those of each source are added when they are first taken."""


def upgrade() -> None:
    """Add the locks to ``core`` and take them where the database itself takes one; let the loader analyse."""
    op.execute("CREATE TABLE core.lock (name text CONSTRAINT lock_pkey PRIMARY KEY)")
    op.execute(f"INSERT INTO core.lock (name) VALUES {', '.join(f'({name!r})' for name in NAMES)}")
    _replace_in_basket(ADVISORY, ROW)
    _analyse()
    _loader()


def _replace_in_basket(former: str, new: str) -> None:
    """Change one statement of the function that refreshes a basket, whatever else other revisions made of it."""
    op.execute(
        f"""
        DO $do$ BEGIN
            EXECUTE replace(pg_get_functiondef('{BASKET}'::regprocedure), '{former}', '{new}');
        END $do$
        """
    )


def _analyse() -> None:
    """Only the owner of a table may analyse it (or, from Postgres 17 on, who was granted that).

    So the loader calls a function that does it with the rights of its owner, and takes no parameter. Analysed are the
    tables of which more than a fifth is news to the planner.
    """
    op.execute(
        """
        CREATE FUNCTION core.analyse() RETURNS SETOF text
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        DECLARE
            name text;
        BEGIN
            FOR name IN
                SELECT format('%I.%I', s.schemaname, s.relname)
                  FROM pg_stat_user_tables s
                 WHERE s.schemaname IN ('raw', 'core') AND s.n_mod_since_analyze > 500 + s.n_live_tup / 5
                 ORDER BY s.relid
            LOOP
                EXECUTE 'ANALYZE ' || name;
                RETURN NEXT name;
            END LOOP;
        END $$
        """
    )
    op.execute("REVOKE EXECUTE ON FUNCTION core.analyse() FROM PUBLIC")


def _loader() -> None:
    """The role of those who load: one for the whole server, like that of the readers.

    Whoever may not create roles goes without. What it may do is granted at the end of each ``etl db upgrade``.
    """
    op.execute(
        f"""
        DO $$ BEGIN
            CREATE ROLE {LOADER} NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL;
        END $$
        """
    )


def downgrade() -> None:
    """Go back to advisory locks. The role stays: other databases of the server may use it."""
    op.execute("DROP FUNCTION core.analyse")
    _replace_in_basket(ROW, ADVISORY)
    op.execute("DROP TABLE core.lock")
