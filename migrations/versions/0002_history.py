"""History: the log of snapshots, the versioned relations, and the promises that the database itself keeps."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PRICE_KEY = "model_id text, provider text, region text, plan text, meter text, tier_start bigint"

RELATIONS = {
    "model": (
        "model_id text",
        """
        name text, author text, description text, context_length bigint, max_output_tokens bigint,
        input_modalities text[], output_modalities text[], supported_parameters text[], released_at timestamptz,
        deprecated_at timestamptz, retires_at timestamptz, status text, aliases text[], extra jsonb NOT NULL
        """,
    ),
    "endpoint": (
        "model_id text, provider text, region text",
        """
        provider_model_id text, context_length bigint, max_output_tokens bigint, quantization text, is_ptb boolean,
        supported_parameters text[], unsupported_parameters text[], rate_limits jsonb, extra jsonb NOT NULL
        """,
    ),
    "price": (
        PRICE_KEY,
        """
        currency text NOT NULL, price_state text NOT NULL, unit_price numeric,
        CONSTRAINT price_state_check CHECK (CASE price_state
            WHEN 'priced' THEN coalesce(unit_price > 0 AND unit_price < 'Infinity', false)
            WHEN 'free' THEN coalesce(unit_price = 0, false)
            WHEN 'dynamic' THEN unit_price IS NULL ELSE false END)
        """,
    ),
    "provider": ("provider text", "display_name text, extra jsonb NOT NULL"),
    "author": ("author text", "display_name text, extra jsonb NOT NULL"),
    "unseen": (PRICE_KEY, "last_seen_at timestamptz NOT NULL"),
}


def upgrade() -> None:
    """Create ``core``."""
    op.execute("CREATE SCHEMA core")
    _snapshots()
    _rates()
    _refuse_overlap()
    for name, (key, values) in RELATIONS.items():
        _relation(name, key, values)


def _snapshots() -> None:
    """What became of each snapshot, and what of it could not be read."""
    op.execute(
        """
        CREATE TABLE core.source (
            source   text CONSTRAINT source_pkey PRIMARY KEY,
            kind     text NOT NULL,
            known_at timestamptz
        )
        """
    )
    op.execute(
        """
        CREATE TABLE core.snapshot (
            snapshot_id bigint NOT NULL CONSTRAINT snapshot_pkey PRIMARY KEY
                CONSTRAINT snapshot_snapshot_id_fkey REFERENCES raw.snapshot (snapshot_id),
            source      text NOT NULL CONSTRAINT snapshot_source_fkey REFERENCES core.source (source),
            observed_at timestamptz NOT NULL,
            status      text NOT NULL CONSTRAINT snapshot_status_check
                CHECK (status IN ('landed', 'loaded', 'unchanged', 'held', 'rejected', 'failed')),
            reason      text,
            is_complete boolean,
            models      integer,
            endpoints   integer,
            prices      integer,
            opened      integer,
            closed      integer,
            known_at    timestamptz
        )
        """
    )
    op.execute(
        """
        CREATE UNIQUE INDEX snapshot_counted_idx ON core.snapshot (source, observed_at)
        WHERE status IN ('loaded', 'unchanged', 'held')
        """
    )
    op.execute("CREATE INDEX snapshot_pending_idx ON core.snapshot (source) WHERE status = 'landed'")
    op.execute(
        """
        CREATE TABLE core.quarantine (
            snapshot_id bigint NOT NULL CONSTRAINT quarantine_snapshot_id_fkey REFERENCES core.snapshot (snapshot_id),
            source      text NOT NULL,
            page        integer NOT NULL,
            pointer     text NOT NULL,
            reason      text NOT NULL,
            record      jsonb
        )
        """
    )
    op.execute("CREATE INDEX quarantine_snapshot_id_idx ON core.quarantine (snapshot_id)")
    op.execute(
        """
        CREATE TABLE core.unmapped_field (
            snapshot_id bigint NOT NULL
                CONSTRAINT unmapped_field_snapshot_id_fkey REFERENCES core.snapshot (snapshot_id),
            source      text NOT NULL,
            field       text NOT NULL,
            count       integer NOT NULL,
            example     jsonb,
            CONSTRAINT unmapped_field_pkey PRIMARY KEY (snapshot_id, field)
        )
        """
    )


def _rates() -> None:
    """What one unit of a currency is worth. CREDIT is configuration with its source, not a fact of a catalog."""
    op.execute(
        """
        CREATE TABLE core.fx_rate (
            currency   text NOT NULL,
            valid_from timestamptz NOT NULL,
            usd        numeric NOT NULL CONSTRAINT fx_rate_usd_check CHECK (usd > 0 AND usd < 'Infinity'),
            origin     text NOT NULL,
            CONSTRAINT fx_rate_pkey PRIMARY KEY (currency, valid_from)
        )
        """
    )
    op.execute(
        """
        INSERT INTO core.fx_rate (currency, valid_from, usd, origin) VALUES
            ('USD', '-infinity', 1, 'identity'),
            ('CREDIT', '-infinity', 0.001, 'configuration: the rate that Majestix documents in public')
        """
    )


def _relation(name: str, key: str, values: str) -> None:
    """One versioned relation. Indexes: one open version per key, one version per key and start, both as believed."""
    columns = ", ".join(column.split()[0] for column in key.split(","))
    op.execute(
        f"""
        CREATE TABLE core.{name} (
            version_id     bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT {name}_pkey PRIMARY KEY,
            source         text NOT NULL,
            {", ".join(f"{column} NOT NULL" for column in key.split(","))},
            {values},
            valid_from     timestamptz NOT NULL,
            valid_to       timestamptz,
            known_from     timestamptz NOT NULL,
            known_to       timestamptz,
            end_known_from timestamptz,
            CONSTRAINT {name}_valid_check CHECK (valid_to > valid_from),
            CONSTRAINT {name}_known_check CHECK (known_to > known_from),
            CONSTRAINT {name}_end_known_check
                CHECK ((valid_to IS NULL) = (end_known_from IS NULL) AND end_known_from >= known_from)
        )
        """
    )
    op.execute(
        f"""
        CREATE UNIQUE INDEX {name}_open_key ON core.{name} (source, {columns})
        WHERE valid_to IS NULL AND known_to IS NULL
        """
    )
    op.execute(
        f"CREATE UNIQUE INDEX {name}_version_key ON core.{name} (source, {columns}, valid_from) WHERE known_to IS NULL"
    )
    op.execute(f"CREATE INDEX {name}_superseded_idx ON core.{name} (source, known_to) WHERE known_to IS NOT NULL")
    for event in ("INSERT", "UPDATE"):
        op.execute(
            f"""
            CREATE TRIGGER refuse_overlap_{event.lower()} AFTER {event} ON core.{name}
            REFERENCING NEW TABLE AS touched
            FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_overlap({columns})
            """
        )


def _refuse_overlap() -> None:
    """Two versions of one key never hold at one time in one belief.

    A trigger over the touched rows rather than an exclusion constraint: see docs/history.md for the measurement.
    """
    op.execute(
        """
        CREATE FUNCTION core.refuse_overlap() RETURNS trigger
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
        DECLARE
            same_key text := 'a.source = b.source';
            clash    record;
        BEGIN
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
    )


def downgrade() -> None:
    """Drop history; it can be rebuilt from the landed bytes."""
    op.execute("DROP SCHEMA core CASCADE")
