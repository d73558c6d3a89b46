"""What of the mart is installed, object by object; and one schema for all who have this revision.

Revisions 0002 to 0005 were edited in the days after they had landed, so that databases of one revision differ. Whatever
an early edition lacks is added here; where it is there already, nothing happens.
"""

from importlib import import_module

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BASKET = import_module("migrations.versions.0003_answers").REFRESH_BASKET
SPEED = import_module("migrations.versions.0007_speed")

MENDED = (
    "CREATE TABLE IF NOT EXISTS core.identity_mark (mark text CONSTRAINT identity_mark_pkey PRIMARY KEY)",
    "ALTER TABLE core.source ADD COLUMN IF NOT EXISTS known_at timestamptz",
    "ALTER TABLE core.snapshot ADD COLUMN IF NOT EXISTS covered text[]",
    "ALTER TABLE core.price_change ADD COLUMN IF NOT EXISTS old_currency text",
    "CREATE INDEX IF NOT EXISTS snapshot_observed_at_idx ON core.snapshot (observed_at)",
    "CREATE INDEX IF NOT EXISTS snapshot_held_idx ON core.snapshot (source) WHERE status = 'held'",
    """
    CREATE INDEX IF NOT EXISTS snapshot_change_idx ON core.snapshot (source, observed_at)
        WHERE opened > 0 OR closed > 0
    """,
    "CREATE INDEX IF NOT EXISTS snapshot_run_idx ON raw.snapshot (source, observed_at) WHERE origin = 'run'",
    """
    CREATE INDEX IF NOT EXISTS price_change_suspicion_idx ON core.price_change (source, model_id)
        WHERE known_to IS NULL AND suspicion <> '{}'
    """,
    "COMMENT ON SCHEMA core IS 'History on two clocks, and what is derived from it.'",
    f"""
    CREATE OR REPLACE FUNCTION core.refresh_basket(source text, since timestamptz DEFAULT '-infinity') RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp SET enable_nestloop = off AS $${BASKET}$$
    """,
    """
    CREATE OR REPLACE FUNCTION core.refresh_baskets() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
            PERFORM core.refresh_basket(s.source) FROM (SELECT source FROM core.source ORDER BY source) s;
            RETURN NULL;
        END $$
    """,
    SPEED._guard(SPEED._UNIQUE_IS_ENOUGH),  # noqa: SLF001  a landed revision never changes
)
"""Differences of which one statement takes care."""

OUTCOME = """
DO $$ BEGIN
    IF (SELECT pg_get_constraintdef(oid) FROM pg_constraint
         WHERE conrelid = 'core.run'::regclass AND conname = 'run_outcome_check') NOT LIKE '%stopped%' THEN
        ALTER TABLE core.run DROP CONSTRAINT run_outcome_check, ADD CONSTRAINT run_outcome_check
            CHECK (outcome IN ('landed', 'loaded', 'unchanged', 'held', 'rejected', 'failed', 'abandoned', 'stopped'));
        DROP INDEX core.run_slot_key;
        CREATE UNIQUE INDEX run_slot_key ON core.run (source, due_at) WHERE outcome NOT IN ('abandoned', 'stopped');
    END IF;
END $$
"""

OUTBOX = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'core.outbox'::regclass AND attname = 'number') THEN
        ALTER TABLE core.outbox ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY;
        DROP INDEX core.outbox_waiting_idx;
        CREATE INDEX outbox_waiting_idx ON core.outbox (number) WHERE delivered_at IS NULL AND given_up_at IS NULL;
    END IF;
END $$
"""


def upgrade() -> None:
    """Add what early editions lack, and a table of what is installed in the mart."""
    for statement in (*MENDED, OUTCOME, OUTBOX):
        op.execute(statement)
    op.execute(
        """
        CREATE TABLE core.mart_object (
            name       text CONSTRAINT mart_object_pkey PRIMARY KEY,
            file       text NOT NULL,
            definition text NOT NULL,
            server     integer NOT NULL
        )
        """
    )


def downgrade() -> None:
    """Forget what is installed; what was mended is as the former revisions are now."""
    op.execute("DROP TABLE core.mart_object")
