"""What analysts are answered from: changes as they were believed, identity across gateways, what configuration says."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

READER = "etl_reader"

CHANGES = {
    "price_change": (
        "source, model_id, provider, region, plan, meter, tier_start, changed_at",
        """
        source text NOT NULL, model_id text NOT NULL, provider text NOT NULL, region text NOT NULL, plan text NOT NULL,
        meter text NOT NULL, tier_start bigint NOT NULL, currency text NOT NULL, change text NOT NULL,
        cause text NOT NULL, old_state text, new_state text, old_unit_price numeric, new_unit_price numeric,
        ratio numeric, changed_at timestamptz NOT NULL, not_before timestamptz NOT NULL,
        is_economic boolean NOT NULL, is_reversal boolean NOT NULL, suspicion text[] NOT NULL, old_currency text
        """,
    ),
    "catalog_change": (
        "source, model_id, entity, provider, region, change, attribute, changed_at",
        """
        source text NOT NULL, model_id text NOT NULL, provider text, region text, entity text NOT NULL,
        change text NOT NULL, attribute text, old_value text, new_value text,
        changed_at timestamptz NOT NULL, not_before timestamptz NOT NULL
        """,
    ),
}


def upgrade() -> None:
    """Add to ``core`` what is derived from history once, at the load, and not at every question."""
    _changes()
    _identity()
    _configuration()
    _basket()
    op.execute("ALTER TABLE core.snapshot ADD COLUMN covered text[]")
    op.execute("ALTER TABLE core.snapshot ADD COLUMN decimals integer")
    op.execute("CREATE INDEX snapshot_observed_at_idx ON core.snapshot (observed_at)")
    op.execute("CREATE INDEX snapshot_held_idx ON core.snapshot (source) WHERE status = 'held'")
    op.execute("CREATE INDEX snapshot_change_idx ON core.snapshot (source, observed_at) WHERE opened > 0 OR closed > 0")
    op.execute("CREATE INDEX snapshot_run_idx ON raw.snapshot (source, observed_at) WHERE origin = 'run'")
    op.execute("CREATE INDEX price_valid_from_idx ON core.price (valid_from) WHERE known_to IS NULL")
    op.execute("COMMENT ON SCHEMA raw IS 'Landed bytes, append-only: what every gateway sent.'")
    op.execute("COMMENT ON SCHEMA core IS 'History on two clocks, and what is derived from it.'")
    _reader()


def _changes() -> None:
    """Changes with the positions in the feed at which they were asserted and retracted.

    Positions are dealt out under a lock that lasts until the commit, so that they become visible in their order.
    """
    op.execute("CREATE SEQUENCE core.feed_position")
    for name, (key, columns) in CHANGES.items():
        op.execute(
            f"""
            CREATE TABLE core.{name} (
                asserted   bigint CONSTRAINT {name}_pkey PRIMARY KEY,
                retracted  bigint,
                {columns},
                known_from timestamptz NOT NULL,
                known_to   timestamptz,
                CONSTRAINT {name}_retracted_check
                    CHECK ((retracted IS NULL) = (known_to IS NULL) AND retracted > asserted AND known_to > known_from)
            )
            """
        )
        op.execute(
            f"CREATE UNIQUE INDEX {name}_believed_key ON core.{name} ({key}) NULLS NOT DISTINCT WHERE known_to IS NULL"
        )
        op.execute(f"CREATE INDEX {name}_changed_at_idx ON core.{name} (changed_at) WHERE known_to IS NULL")
        op.execute(f"CREATE UNIQUE INDEX {name}_retracted_key ON core.{name} (retracted) WHERE retracted IS NOT NULL")
    op.execute(
        "CREATE INDEX price_change_suspicion_idx ON core.price_change (source, model_id)"
        " WHERE known_to IS NULL AND suspicion <> '{}'"
    )


def _identity() -> None:
    """Which of the sources' model ids name one and the same model."""
    op.execute(
        """
        CREATE TABLE core.canonical_model (
            canonical_id text CONSTRAINT canonical_model_pkey PRIMARY KEY,
            vendor       text NOT NULL,
            name         text NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE TABLE core.model_link (
            source       text NOT NULL,
            model_id     text NOT NULL,
            canonical_id text CONSTRAINT model_link_canonical_id_fkey REFERENCES core.canonical_model (canonical_id),
            method       text NOT NULL,
            evidence     text NOT NULL,
            confidence   numeric NOT NULL CONSTRAINT model_link_confidence_check CHECK (confidence BETWEEN 0 AND 1),
            CONSTRAINT model_link_pkey PRIMARY KEY (source, model_id)
        )
        """
    )
    op.execute("CREATE INDEX model_link_canonical_id_idx ON core.model_link (canonical_id)")
    op.execute("CREATE TABLE core.identity_mark (mark text CONSTRAINT identity_mark_pkey PRIMARY KEY)")


def _configuration() -> None:
    """What is configured and shown beside the facts: which sources are pulled, how old they may be, margins."""
    op.execute("ALTER TABLE core.source ADD COLUMN enabled boolean NOT NULL DEFAULT false")
    op.execute("ALTER TABLE core.source ADD COLUMN max_age interval NOT NULL DEFAULT interval '3 hours'")
    op.execute(
        """
        CREATE TABLE core.margin (
            kind       text NOT NULL,
            valid_from timestamptz NOT NULL,
            factor     numeric NOT NULL CONSTRAINT margin_factor_check CHECK (factor > 0 AND factor < 'Infinity'),
            origin     text NOT NULL,
            CONSTRAINT margin_pkey PRIMARY KEY (kind, valid_from)
        )
        """
    )
    op.execute(
        """
        INSERT INTO core.margin (kind, valid_from, factor, origin) VALUES
            ('majestix', '-infinity', 1.4, 'configuration: the margin that Majestix documents in public')
        """
    )


REFRESH_BASKET = """
-- A load and a changed rate may refresh one source at once.
SELECT pg_advisory_xact_lock(hashtextextended('etl basket ' || $1, 0));

DELETE FROM core.basket_move m WHERE m.source = $1 AND m.day >= timezone('UTC', $2)::date;

WITH price AS MATERIALIZED (
    -- From the first day at whose end the price held to the first at whose end it did not. An endpoint is compared as
    -- one value: the planner would take four columns that agree for four coincidences, and loop.
    SELECT ROW(p.model_id, p.provider, p.region) AS endpoint, p.meter, p.currency,
           p.unit_price * CASE p.meter WHEN 'input_token' THEN 3 ELSE 1 END AS cost,
           timezone('UTC', greatest(p.valid_from, rate.valid_from))::date AS from_day,
           timezone('UTC', coalesce(p.valid_to, 'infinity'))::date AS to_day
      FROM core.price p
      JOIN (SELECT r.currency, min(r.valid_from) AS valid_from FROM core.fx_rate r GROUP BY r.currency) rate
        ON rate.currency = p.currency
     WHERE p.source = $1 AND p.known_to IS NULL AND (p.valid_to IS NULL OR p.valid_to >= date_trunc('day', $2, 'UTC'))
       AND p.meter IN ('input_token', 'output_token') AND p.plan = 'standard' AND p.tier_start = 0
       AND p.price_state = 'priced'
), item AS MATERIALIZED (
    SELECT i.endpoint, greatest(i.from_day, o.from_day) AS from_day, least(i.to_day, o.to_day) AS to_day,
           i.currency, i.cost, o.currency AS output_currency, o.cost AS output_cost
      FROM price i
      JOIN price o ON o.endpoint = i.endpoint
     WHERE i.meter = 'input_token' AND o.meter = 'output_token'
       AND greatest(i.from_day, o.from_day) < least(i.to_day, o.to_day)
), step AS (
    -- What an item costs on a day from which its prices hold, and what it cost the day before, at the rate of the day.
    SELECT n.from_day AS day,
           (n.cost * rate.usd[1] + n.output_cost * rate.usd[2])
           / (o.cost * rate.usd[3] + o.output_cost * rate.usd[4]) AS ratio
      FROM item n
      JOIN item o ON o.endpoint = n.endpoint AND o.to_day = n.from_day
     CROSS JOIN LATERAL (
        -- In one currency the rate cancels out.
        SELECT CASE WHEN n.currency = ALL (ARRAY[n.output_currency, o.currency, o.output_currency])
                    THEN '{1,1,1,1}'::numeric[]
                    ELSE ARRAY(SELECT (SELECT r.usd FROM core.fx_rate r
                                        WHERE r.currency = c.currency
                                          AND r.valid_from < timezone('UTC', (n.from_day + 1)::timestamp)
                                        ORDER BY r.valid_from DESC LIMIT 1)
                                 FROM unnest(ARRAY[n.currency, n.output_currency, o.currency, o.output_currency])
                                      WITH ORDINALITY c (currency, number)
                                ORDER BY c.number) END AS usd) rate
)
INSERT INTO core.basket_move (source, day, entered, gone, changed, log_ratio)
SELECT $1, e.day, sum(e.began - e.went_on), sum(e.ended - e.went_on), sum(e.changed),
       sum(e.log_ratio ORDER BY e.log_ratio)
  FROM (SELECT i.from_day, 1, 0, 0, 0, 0::double precision FROM item i
        UNION ALL
        SELECT i.to_day, 0, 1, 0, 0, 0 FROM item i WHERE i.to_day < 'infinity'
        UNION ALL
        SELECT s.day, 0, 0, 1, (s.ratio <> 1)::integer, ln(s.ratio::double precision) FROM step s)
       e (day, began, ended, went_on, changed, log_ratio)
 WHERE e.day >= timezone('UTC', $2)::date
 GROUP BY e.day;
"""
"""What moves in the basket of ``mart.price_index``, from the day of a moment on: docs/series.md explains it."""


def _basket() -> None:
    """The moves of the basket of the price index, by day; rates that are added or changed are heeded at once."""
    op.execute(
        """
        CREATE TABLE core.basket_move (
            source    text NOT NULL,
            day       date NOT NULL,
            entered   integer NOT NULL,
            gone      integer NOT NULL,
            changed   integer NOT NULL,
            log_ratio double precision NOT NULL,
            CONSTRAINT basket_move_pkey PRIMARY KEY (source, day)
        )
        """
    )
    op.execute(
        f"""
        CREATE FUNCTION core.refresh_basket(source text, since timestamptz DEFAULT '-infinity') RETURNS void
        LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $${REFRESH_BASKET}$$
        """
    )
    op.execute(
        """
        CREATE FUNCTION core.refresh_baskets() RETURNS trigger
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
            PERFORM core.refresh_basket(s.source) FROM (SELECT source FROM core.source ORDER BY source) s;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER refresh_baskets AFTER INSERT OR UPDATE OR DELETE ON core.fx_rate"
        " FOR EACH STATEMENT EXECUTE FUNCTION core.refresh_baskets()"
    )
    op.execute("SELECT core.refresh_basket(source) FROM core.source")


def _reader() -> None:
    """The group role of those who read the mart: one for the whole server, so another database may have made it.

    Whoever may not create roles goes without; ``etl db grant`` says so.
    """
    op.execute(
        f"""
        DO $$ BEGIN
            CREATE ROLE {READER} NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL;
        END $$
        """
    )


def downgrade() -> None:
    """Drop what is derived. The role stays: other databases of the server may use it."""
    op.execute("DROP INDEX core.price_valid_from_idx, raw.snapshot_run_idx")
    op.execute("DROP INDEX core.snapshot_observed_at_idx, core.snapshot_held_idx, core.snapshot_change_idx")
    op.execute("DROP TRIGGER refresh_baskets ON core.fx_rate")
    op.execute("DROP FUNCTION core.refresh_baskets, core.refresh_basket")
    op.execute("ALTER TABLE core.snapshot DROP COLUMN covered, DROP COLUMN decimals")
    op.execute("ALTER TABLE core.source DROP COLUMN enabled, DROP COLUMN max_age")
    for name in ("basket_move", "margin", "identity_mark", "model_link", "canonical_model", *CHANGES):
        op.execute(f"DROP TABLE core.{name}")
    op.execute("DROP SEQUENCE core.feed_position")
