"""The tables of landed bytes (``raw``), and of ``core`` what is not versioned: the log, what was set aside, rates."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
    Sequence,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)

TIMESTAMP = DateTime(timezone=True)

content = Table(
    "content",
    metadata,
    Column("sha256", LargeBinary, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    schema="raw",
)

raw_snapshot = Table(
    "snapshot",
    metadata,
    Column("snapshot_id", BigInteger, Identity(always=True), primary_key=True),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("origin", Text, CheckConstraint("origin IN ('run', 'backfill')", name="origin"), nullable=False),
    Column("observed_at", TIMESTAMP, nullable=False),
    Column("landed_at", TIMESTAMP, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("failure", Text),
    Index("snapshot_source_observed_at_idx", "source", "observed_at"),
    Index("snapshot_run_idx", "source", "observed_at", postgresql_where=text("origin = 'run'")),
    schema="raw",
)

page = Table(
    "page",
    metadata,
    Column("snapshot_id", BigInteger, ForeignKey("raw.snapshot.snapshot_id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("url", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("fetched_at", TIMESTAMP, nullable=False),
    Column("sha256", LargeBinary, ForeignKey("raw.content.sha256"), nullable=False),
    Index("page_url_idx", "url"),
    schema="raw",
)

source = Table(
    "source",
    metadata,
    Column("source", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("known_at", TIMESTAMP),
    Column("enabled", Boolean, nullable=False, server_default=text("false")),
    Column("max_age", Interval, nullable=False, server_default=text("'03:00:00'::interval")),
    schema="core",
)

snapshot = Table(
    "snapshot",
    metadata,
    Column("snapshot_id", BigInteger, ForeignKey("raw.snapshot.snapshot_id"), primary_key=True, autoincrement=False),
    Column("source", Text, ForeignKey("core.source.source"), nullable=False),
    Column("observed_at", TIMESTAMP, nullable=False),
    Column(
        "status",
        Text,
        CheckConstraint(
            "status IN ('landed', 'loaded', 'unchanged', 'held', 'rejected', 'failed')",
            name="status",
        ),
        nullable=False,
    ),
    Column("reason", Text),
    Column("is_complete", Boolean),
    Column("models", Integer),
    Column("endpoints", Integer),
    Column("prices", Integer),
    Column("opened", Integer),
    Column("closed", Integer),
    Column("known_at", TIMESTAMP),
    Column("decimals", Integer),
    Index(
        "snapshot_counted_idx",
        "source",
        "observed_at",
        unique=True,
        postgresql_where=text("status IN ('loaded', 'unchanged', 'held')"),
    ),
    Index("snapshot_pending_idx", "source", postgresql_where=text("status = 'landed'")),
    Index("snapshot_held_idx", "source", postgresql_where=text("status = 'held'")),
    Index("snapshot_change_idx", "source", "observed_at", postgresql_where=text("opened > 0 OR closed > 0")),
    Index("snapshot_observed_at_idx", "observed_at"),
    schema="core",
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("snapshot_id", BigInteger, ForeignKey("core.snapshot.snapshot_id"), nullable=False),
    Column("source", Text, nullable=False),
    Column("page", Integer, nullable=False),
    Column("pointer", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("record", JSONB),
    Index("quarantine_snapshot_id_idx", "snapshot_id"),
    schema="core",
)

unmapped_field = Table(
    "unmapped_field",
    metadata,
    Column("snapshot_id", BigInteger, ForeignKey("core.snapshot.snapshot_id"), primary_key=True),
    Column("source", Text, nullable=False),
    Column("field", Text, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("example", JSONB),
    schema="core",
)

fx_rate = Table(
    "fx_rate",
    metadata,
    Column("currency", Text, primary_key=True),
    Column("valid_from", TIMESTAMP, primary_key=True),
    Column("usd", Numeric, CheckConstraint("usd > 0 AND usd < 'Infinity'", name="usd"), nullable=False),
    Column("origin", Text, nullable=False),
    schema="core",
)

margin = Table(
    "margin",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("valid_from", TIMESTAMP, primary_key=True),
    Column("factor", Numeric, CheckConstraint("factor > 0 AND factor < 'Infinity'", name="factor"), nullable=False),
    Column("origin", Text, nullable=False),
    schema="core",
)

basket_move = Table(
    "basket_move",
    metadata,
    Column("source", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("entered", Integer, nullable=False),
    Column("gone", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("log_ratio", Double, nullable=False),
    schema="core",
)
"""What moved in the basket of the price index, by day; filled by ``core.refresh_basket``."""

canonical_model = Table(
    "canonical_model",
    metadata,
    Column("canonical_id", Text, primary_key=True),
    Column("vendor", Text, nullable=False),
    Column("name", Text, nullable=False),
    schema="core",
)

model_link = Table(
    "model_link",
    metadata,
    Column("source", Text, primary_key=True),
    Column("model_id", Text, primary_key=True),
    Column("canonical_id", Text, ForeignKey("core.canonical_model.canonical_id")),
    Column("method", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("confidence", Numeric, CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"), nullable=False),
    Index("model_link_canonical_id_idx", "canonical_id"),
    schema="core",
)

identity_mark = Table("identity_mark", metadata, Column("mark", Text, primary_key=True), schema="core")
"""From which rules and which versions of models the links were made."""

feed_position = Sequence("feed_position", metadata=metadata, schema="core")
"""Where an assertion or a retraction of a change stands in the feed; dealt out under ``lock_feed`` alone."""


def _changes(name: str, key: tuple[str, ...], *columns: Column[Any]) -> Table:
    """Changes as they were believed: derived from history at each load, never at a question."""
    return Table(
        name,
        metadata,
        Column("asserted", BigInteger, primary_key=True, autoincrement=False),
        Column("retracted", BigInteger),
        *columns,
        Column("known_from", TIMESTAMP, nullable=False),
        Column("known_to", TIMESTAMP),
        CheckConstraint(
            "(retracted IS NULL) = (known_to IS NULL) AND retracted > asserted AND known_to > known_from",
            name="retracted",
        ),
        Index(
            f"{name}_believed_key",
            *key,
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("known_to IS NULL"),
        ),
        Index(f"{name}_changed_at_idx", "changed_at", postgresql_where=text("known_to IS NULL")),
        Index(f"{name}_retracted_key", "retracted", unique=True, postgresql_where=text("retracted IS NOT NULL")),
        schema="core",
    )


price_change = _changes(
    "price_change",
    ("source", "model_id", "provider", "region", "plan", "meter", "tier_start", "changed_at"),
    Column("source", Text, nullable=False),
    Column("model_id", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("meter", Text, nullable=False),
    Column("tier_start", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("change", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("old_state", Text),
    Column("new_state", Text),
    Column("old_unit_price", Numeric),
    Column("new_unit_price", Numeric),
    Column("ratio", Numeric),
    Column("changed_at", TIMESTAMP, nullable=False),
    Column("not_before", TIMESTAMP, nullable=False),
    Column("is_economic", Boolean, nullable=False),
    Column("is_reversal", Boolean, nullable=False),
    Column("suspicion", ARRAY(Text), nullable=False),
)

Index(
    "price_change_suspicion_idx",
    price_change.c.source,
    price_change.c.model_id,
    postgresql_where=text("known_to IS NULL AND suspicion <> '{}'"),
)

catalog_change = _changes(
    "catalog_change",
    ("source", "model_id", "entity", "provider", "region", "change", "attribute", "changed_at"),
    Column("source", Text, nullable=False),
    Column("model_id", Text, nullable=False),
    Column("provider", Text),
    Column("region", Text),
    Column("entity", Text, nullable=False),
    Column("change", Text, nullable=False),
    Column("attribute", Text),
    Column("old_value", Text),
    Column("new_value", Text),
    Column("changed_at", TIMESTAMP, nullable=False),
    Column("not_before", TIMESTAMP, nullable=False),
)
