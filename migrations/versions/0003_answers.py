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
        is_economic boolean NOT NULL, is_reversal boolean NOT NULL, suspicion text[] NOT NULL
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
    op.execute("ALTER TABLE core.snapshot ADD COLUMN decimals integer")
    op.execute("CREATE INDEX price_valid_from_idx ON core.price (valid_from) WHERE known_to IS NULL")
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


def _configuration() -> None:
    """What is configured and shown beside the facts: which sources are pulled, how old they may be, margins."""
    op.execute(
        """
        ALTER TABLE core.source
            ADD COLUMN enabled boolean NOT NULL DEFAULT false,
            ADD COLUMN max_age interval NOT NULL DEFAULT interval '3 hours'
        """
    )
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
    op.execute("DROP INDEX core.price_valid_from_idx")
    op.execute("ALTER TABLE core.snapshot DROP COLUMN decimals")
    op.execute("DROP TABLE core.margin")
    op.execute("ALTER TABLE core.source DROP COLUMN enabled, DROP COLUMN max_age")
    op.execute("DROP TABLE core.model_link")
    op.execute("DROP TABLE core.canonical_model")
    for name in CHANGES:
        op.execute(f"DROP TABLE core.{name}")
    op.execute("DROP SEQUENCE core.feed_position")
