"""Damaged bodies can be replaced: what was found in their place is kept, and only then the right one may come back."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let a body be replaced where, and only where, the bytes that it replaces are kept as damaged."""
    op.execute(
        """
        CREATE TABLE raw.damaged (
            sha256   bytea NOT NULL CONSTRAINT damaged_sha256_fkey REFERENCES raw.content (sha256),
            found_at timestamptz NOT NULL DEFAULT now(),
            body     bytea NOT NULL,
            CONSTRAINT damaged_pkey PRIMARY KEY (sha256, found_at)
        )
        """
    )
    op.execute("ALTER TABLE raw.damaged ALTER COLUMN body SET STORAGE EXTERNAL")
    op.execute(
        """
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON raw.damaged
        FOR EACH STATEMENT EXECUTE FUNCTION raw.refuse_change()
        """
    )
    op.execute(
        _guard(
            """
            IF NEW.body IS NOT NULL
               AND EXISTS (SELECT FROM raw.damaged d WHERE d.sha256 = OLD.sha256 AND d.body = OLD.body) THEN
                RETURN NEW;
            END IF;
            """
        )
    )
    # Pruning finds what is old by these (docs/retention.md).
    op.execute("CREATE INDEX run_started_at_idx ON core.run (started_at)")
    op.execute("CREATE INDEX slot_due_at_idx ON core.slot (due_at)")
    op.execute("CREATE INDEX outbox_created_at_idx ON core.outbox (created_at)")


def _guard(repair: str) -> str:
    """A body is never changed, but for what 0006 allows and for a ``repair``."""
    return f"""
        CREATE OR REPLACE FUNCTION raw.refuse_loss() RETURNS trigger
        LANGUAGE plpgsql SET search_path = pg_catalog AS $$
        BEGIN
            IF OLD.body IS NULL THEN
                RETURN NEW;
            END IF;
            IF NEW.body IS NULL AND EXISTS (SELECT FROM raw.archived a WHERE a.sha256 = OLD.sha256) THEN
                RETURN NEW;
            END IF;
            {repair}
            RAISE EXCEPTION 'raw.content is append-only: a body is never changed, and dropped only once it is archived'
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
    """


def downgrade() -> None:
    """Forget what was found damaged; what was mended stays mended."""
    op.execute("DROP INDEX core.outbox_created_at_idx")
    op.execute("DROP INDEX core.slot_due_at_idx")
    op.execute("DROP INDEX core.run_started_at_idx")
    op.execute(_guard(""))
    op.execute("DROP TABLE raw.damaged")
