"""Archived bodies: where each was put, and the one way in which a landed body may leave the database and come back."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let a body be absent where, and only where, it is recorded that a verified copy lies in a folder."""
    op.execute(
        """
        CREATE TABLE raw.archived (
            sha256      bytea NOT NULL CONSTRAINT archived_sha256_fkey REFERENCES raw.content (sha256),
            folder      text NOT NULL,
            archived_at timestamptz NOT NULL,
            CONSTRAINT archived_pkey PRIMARY KEY (sha256, folder)
        )
        """
    )
    op.execute(
        """
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON raw.archived
        FOR EACH STATEMENT EXECUTE FUNCTION raw.refuse_change()
        """
    )
    op.execute("ALTER TABLE raw.content ALTER COLUMN body DROP NOT NULL")
    op.execute(
        """
        CREATE FUNCTION raw.refuse_loss() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
        BEGIN
            IF OLD.body IS NULL THEN
                RETURN NEW;
            END IF;
            IF NEW.body IS NULL AND EXISTS (SELECT FROM raw.archived a WHERE a.sha256 = OLD.sha256) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'raw.content is append-only: a body is never changed, and dropped only once it is archived'
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """
    )
    # What a body is and how long it is never changes; where it is may.
    op.execute("DROP TRIGGER append_only ON raw.content")
    op.execute(
        """
        CREATE TRIGGER append_only BEFORE UPDATE OF sha256, size OR DELETE OR TRUNCATE ON raw.content
        FOR EACH STATEMENT EXECUTE FUNCTION raw.refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER no_loss BEFORE UPDATE OF body ON raw.content
        FOR EACH ROW EXECUTE FUNCTION raw.refuse_loss()
        """
    )


def downgrade() -> None:
    """Bodies that are only in an archive must be brought back first: the older schema has no place for them."""
    op.execute(
        """
        DO $$ BEGIN
            IF EXISTS (SELECT FROM raw.content WHERE body IS NULL) THEN
                RAISE EXCEPTION 'there are archived bodies: run `etl raw restore` before the downgrade';
            END IF;
        END $$
        """
    )
    op.execute("DROP SCHEMA IF EXISTS mart CASCADE")
    op.execute("DROP TRIGGER no_loss ON raw.content")
    op.execute("DROP TRIGGER append_only ON raw.content")
    op.execute(
        """
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON raw.content
        FOR EACH STATEMENT EXECUTE FUNCTION raw.refuse_change()
        """
    )
    op.execute("DROP FUNCTION raw.refuse_loss")
    op.execute("ALTER TABLE raw.content ALTER COLUMN body SET NOT NULL")
    op.execute("DROP TABLE raw.archived")
