"""What the open versions of a source were read from, so that the next snapshot is read only where it differs."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Remember digests of records; a source that has none is read whole."""
    op.execute(
        """
        CREATE TABLE core.applied (
            source      text CONSTRAINT applied_pkey PRIMARY KEY
                CONSTRAINT applied_source_fkey REFERENCES core.source (source),
            snapshot_id bigint NOT NULL CONSTRAINT applied_snapshot_id_fkey REFERENCES raw.snapshot (snapshot_id),
            reading     text NOT NULL,
            records     bytea NOT NULL
        )
        """
    )


def downgrade() -> None:
    """Forget them."""
    op.execute("DROP TABLE core.applied")
