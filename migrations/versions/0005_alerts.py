"""Alerts: what somebody was told of, the messages that wait, and how far each watch has told the feed."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add alerts, the outbox and the watches to ``core``."""
    op.execute(
        """
        CREATE TABLE core.alert (
            alert_id    bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT alert_pkey PRIMARY KEY,
            source      text NOT NULL CONSTRAINT alert_source_fkey REFERENCES core.source (source),
            problem     text NOT NULL CONSTRAINT alert_problem_check
                CHECK (problem IN ('failing', 'stale', 'held', 'quarantined', 'unmapped', 'suspect')),
            opened_at   timestamptz NOT NULL,
            count       bigint NOT NULL CONSTRAINT alert_count_check CHECK (count > 0),
            example     text,
            told_at     timestamptz,
            resolved_at timestamptz
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX alert_open_key ON core.alert (source, problem) WHERE resolved_at IS NULL")
    op.execute(
        """
        CREATE TABLE core.outbox (
            message_id      uuid CONSTRAINT outbox_pkey PRIMARY KEY,
            number          bigint GENERATED ALWAYS AS IDENTITY,
            receiver        text NOT NULL,
            kind            text NOT NULL CONSTRAINT outbox_kind_check
                CHECK (kind IN ('opened', 'worsened', 'repeated', 'resolved', 'price_change')),
            body            jsonb NOT NULL,
            created_at      timestamptz NOT NULL,
            attempts        integer NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL,
            delivered_at    timestamptz,
            last_error      text,
            given_up_at     timestamptz,
            CONSTRAINT outbox_ended_check CHECK (delivered_at IS NULL OR given_up_at IS NULL)
        )
        """
    )
    op.execute(
        "CREATE INDEX outbox_waiting_idx ON core.outbox (number) WHERE delivered_at IS NULL AND given_up_at IS NULL"
    )
    op.execute(
        """
        CREATE TABLE core.price_watch (
            watch    text CONSTRAINT price_watch_pkey PRIMARY KEY,
            filter   text NOT NULL,
            position bigint NOT NULL
        )
        """
    )


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP SCHEMA IF EXISTS mart CASCADE")
    op.execute("DROP TABLE core.price_watch, core.outbox, core.alert")
