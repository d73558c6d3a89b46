"""The ledger: every run, and every due time of every source with what became of it."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BASKET = "core.refresh_basket(text, timestamptz)"


def upgrade() -> None:
    """Add runs and slots to ``core``, and to each source since when which schedule holds."""
    op.execute("ALTER TABLE core.source ADD COLUMN schedule text, ADD COLUMN scheduled_from timestamptz")
    op.execute(
        """
        CREATE TABLE core.run (
            run_id      bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT run_pkey PRIMARY KEY,
            source      text NOT NULL CONSTRAINT run_source_fkey REFERENCES core.source (source),
            due_at      timestamptz,
            caller      text NOT NULL CONSTRAINT run_caller_check CHECK (caller IN ('schedule', 'run')),
            worker      text NOT NULL,
            started_at  timestamptz NOT NULL,
            ended_at    timestamptz,
            outcome     text CONSTRAINT run_outcome_check
                CHECK (outcome IN ('landed', 'loaded', 'unchanged', 'held', 'rejected', 'failed', 'abandoned',
                                   'stopped')),
            snapshot_id bigint CONSTRAINT run_snapshot_id_fkey REFERENCES raw.snapshot (snapshot_id),
            error       text,
            CONSTRAINT run_ended_check CHECK ((ended_at IS NULL) = (outcome IS NULL))
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX run_going_on_key ON core.run (source) WHERE outcome IS NULL")
    op.execute(
        "CREATE UNIQUE INDEX run_slot_key ON core.run (source, due_at) WHERE outcome NOT IN ('abandoned', 'stopped')"
    )
    op.execute("CREATE INDEX run_source_started_at_idx ON core.run (source, started_at)")
    op.execute(
        """
        CREATE TABLE core.slot (
            source text NOT NULL CONSTRAINT slot_source_fkey REFERENCES core.source (source),
            due_at timestamptz NOT NULL,
            status text NOT NULL CONSTRAINT slot_status_check CHECK (status IN ('taken', 'done', 'missed')),
            run_id bigint CONSTRAINT slot_run_id_fkey REFERENCES core.run (run_id),
            reason text,
            CONSTRAINT slot_pkey PRIMARY KEY (source, due_at),
            CONSTRAINT slot_run_check CHECK (status = 'missed' OR run_id IS NOT NULL),
            CONSTRAINT slot_reason_check CHECK ((status = 'missed') = (reason IS NOT NULL))
        )
        """
    )
    op.execute("CREATE INDEX slot_run_id_idx ON core.slot (run_id)")
    # The first load of a source has no statistics yet: the planner would compare every price with every other one.
    op.execute(f"ALTER FUNCTION {BASKET} SET enable_nestloop = off")


def downgrade() -> None:
    """Drop the ledger."""
    op.execute("DROP SCHEMA IF EXISTS mart CASCADE")
    op.execute(f"ALTER FUNCTION {BASKET} RESET enable_nestloop")
    op.execute("DROP TABLE core.slot, core.run")
    op.execute("ALTER TABLE core.source DROP COLUMN schedule, DROP COLUMN scheduled_from")
