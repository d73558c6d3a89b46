"""Landed bytes: what came, whole, once per content, never changed."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create ``raw``, append-only."""
    op.execute("CREATE SCHEMA raw")
    op.execute(
        """
        CREATE TABLE raw.content (
            sha256 bytea CONSTRAINT content_pkey PRIMARY KEY,
            size   bigint NOT NULL,
            body   bytea NOT NULL
        )
        """
    )
    # The body is compressed before it is sent: compressing it again would only cost time.
    op.execute("ALTER TABLE raw.content ALTER COLUMN body SET STORAGE EXTERNAL")
    op.execute(
        """
        CREATE TABLE raw.snapshot (
            snapshot_id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT snapshot_pkey PRIMARY KEY,
            source      text NOT NULL,
            kind        text NOT NULL,
            origin      text NOT NULL CONSTRAINT snapshot_origin_check CHECK (origin IN ('run', 'backfill')),
            observed_at timestamptz NOT NULL,
            landed_at   timestamptz NOT NULL,
            fingerprint bytea NOT NULL,
            failure     text
        )
        """
    )
    op.execute("CREATE INDEX snapshot_source_observed_at_idx ON raw.snapshot (source, observed_at)")
    op.execute(
        """
        CREATE TABLE raw.page (
            snapshot_id bigint NOT NULL CONSTRAINT page_snapshot_id_fkey REFERENCES raw.snapshot (snapshot_id),
            number      integer NOT NULL,
            url         text NOT NULL,
            status      integer NOT NULL,
            headers     jsonb NOT NULL,
            fetched_at  timestamptz NOT NULL,
            sha256      bytea NOT NULL CONSTRAINT page_sha256_fkey REFERENCES raw.content (sha256),
            CONSTRAINT page_pkey PRIMARY KEY (snapshot_id, number)
        )
        """
    )
    op.execute("CREATE INDEX page_url_idx ON raw.page (url)")
    op.execute(
        """
        CREATE FUNCTION raw.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
        BEGIN
            RAISE EXCEPTION 'raw.% is append-only: landed bytes are never changed', TG_TABLE_NAME
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """
    )
    for table in ("content", "snapshot", "page"):
        op.execute(
            f"""
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON raw.{table}
            FOR EACH STATEMENT EXECUTE FUNCTION raw.refuse_change()
            """
        )


def downgrade() -> None:
    """Drop the landed bytes and all they hold."""
    op.execute("DROP SCHEMA raw CASCADE")
