"""The tables of alerts: what somebody was told of, the messages that wait, and how far each watch has told the feed."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from etl.load.ledger_tables import metadata as metadata  # noqa: PLC0414  the same one, with these tables in it
from etl.load.tables import TIMESTAMP

alert = Table(
    "alert",
    metadata,
    Column("alert_id", BigInteger, Identity(always=True), primary_key=True),
    Column("source", Text, ForeignKey("core.source.source"), nullable=False),
    Column("problem", Text, nullable=False),
    Column("opened_at", TIMESTAMP, nullable=False),
    Column("count", BigInteger, CheckConstraint("count > 0", name="count"), nullable=False),
    Column("example", Text),
    Column("told_at", TIMESTAMP),
    Column("resolved_at", TIMESTAMP),
    Index("alert_open_key", "source", "problem", unique=True, postgresql_where=text("resolved_at IS NULL")),
    schema="core",
)

outbox = Table(
    "outbox",
    metadata,
    Column("message_id", Uuid, primary_key=True),
    Column("number", BigInteger, Identity(always=True), nullable=False),
    Column("receiver", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_attempt_at", TIMESTAMP, nullable=False),
    Column("delivered_at", TIMESTAMP),
    Column("last_error", Text),
    Column("given_up_at", TIMESTAMP),
    Index(
        "outbox_waiting_idx",
        "number",
        postgresql_where=text("delivered_at IS NULL AND given_up_at IS NULL"),
    ),
    Index("outbox_created_at_idx", "created_at"),
    schema="core",
)

price_watch = Table(
    "price_watch",
    metadata,
    Column("watch", Text, primary_key=True),
    Column("filter", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    schema="core",
)
