"""Cost that follows the change: what the open versions were read from, and a guard that spares a first load."""

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
    op.execute(_guard(_UNIQUE_IS_ENOUGH))


_UNIQUE_IS_ENOUGH = """
            -- Of open, believed versions the unique index lets one key have one: where no others are, all is well.
            IF (SELECT count(*) FROM touched) >= 1000 THEN
                EXECUTE format(
                    'SELECT NOT EXISTS (SELECT FROM %1$I.%2$I v WHERE v.source IN (SELECT t.source FROM touched t)'
                    ' AND (v.valid_to IS NOT NULL OR v.known_to IS NOT NULL))',
                    TG_TABLE_SCHEMA, TG_TABLE_NAME) INTO is_enough;
                IF is_enough THEN
                    RETURN NULL;
                END IF;
            END IF;
"""


def _guard(shortcut: str) -> str:
    """Two versions of one key never hold at one time in one belief (see 0002); ``shortcut`` may know it cheaply."""
    return f"""
        CREATE OR REPLACE FUNCTION core.refuse_overlap() RETURNS trigger
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
        DECLARE
            same_key  text := 'a.source = b.source';
            clash     record;
            is_enough boolean;
        BEGIN
            {shortcut}
            FOR i IN 0 .. TG_NARGS - 1 LOOP
                same_key := same_key || format(' AND a.%1$I = b.%1$I', TG_ARGV[i]);
            END LOOP;
            EXECUTE format(
                'SELECT a.version_id AS one, b.version_id AS other FROM touched a JOIN %1$I.%2$I b ON %3$s'
                ' WHERE b.known_to IS NULL AND a.version_id <> b.version_id AND a.known_to IS NULL'
                ' AND a.valid_from < coalesce(b.valid_to, ''infinity'')'
                ' AND b.valid_from < coalesce(a.valid_to, ''infinity'')'
                ' UNION ALL '
                'SELECT a.version_id, b.version_id FROM touched a JOIN %1$I.%2$I b ON %3$s'
                ' WHERE b.known_to IS NOT NULL AND b.known_to > a.known_from AND a.version_id <> b.version_id'
                ' AND b.known_from < coalesce(a.known_to, ''infinity'')'
                ' AND a.valid_from < coalesce(b.valid_to, ''infinity'')'
                ' AND b.valid_from < coalesce(a.valid_to, ''infinity'') LIMIT 1',
                TG_TABLE_SCHEMA, TG_TABLE_NAME, same_key) INTO clash;
            IF clash.one IS NOT NULL THEN
                RAISE EXCEPTION 'versions % and % of %.% overlap', clash.one, clash.other,
                    TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'exclusion_violation';
            END IF;
            RETURN NULL;
        END $$
    """


def downgrade() -> None:
    """Forget them, and guard without the shortcut."""
    op.execute(_guard(""))
    op.execute("DROP TABLE core.applied")
