"""The tables of landed bytes (``raw``), and of ``core`` the log, what was set aside, and what is configured."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
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
    Column("body", LargeBinary),
    schema="raw",
)

archived = Table(
    "archived",
    metadata,
    Column("sha256", LargeBinary, ForeignKey("raw.content.sha256"), primary_key=True),
    Column("folder", Text, primary_key=True),
    Column("archived_at", TIMESTAMP, nullable=False),
    schema="raw",
)

damaged = Table(
    "damaged",
    metadata,
    Column("sha256", LargeBinary, ForeignKey("raw.content.sha256"), primary_key=True),
    Column("found_at", TIMESTAMP, primary_key=True, server_default=text("now()")),
    Column("body", LargeBinary, nullable=False),
    schema="raw",
)
"""What stood in the place of a body before the right one was put back (see ``raw/repair.py``)."""

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
    Column("schedule", Text),
    Column("scheduled_from", TIMESTAMP),
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
    Column("covered", ARRAY(Text)),
    Column("decimals", Integer),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("is_confirmed", Boolean, nullable=False, server_default=text("false")),
    Index(
        "snapshot_counted_idx",
        "source",
        "observed_at",
        unique=True,
        postgresql_where=text("status IN ('loaded', 'unchanged', 'held')"),
    ),
    Index("snapshot_pending_idx", "source", postgresql_where=text("status = 'landed'")),
    Index("snapshot_held_idx", "source", postgresql_where=text("status = 'held'")),
    Index("snapshot_set_aside_idx", "source", postgresql_where=text("status = 'failed' AND attempts > 0")),
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
    Column("count", Integer, nullable=False, server_default=text("1")),
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

applied = Table(
    "applied",
    metadata,
    Column("source", Text, ForeignKey("core.source.source"), primary_key=True),
    Column("snapshot_id", BigInteger, ForeignKey("raw.snapshot.snapshot_id"), nullable=False),
    Column("reading", Text, nullable=False),
    Column("records", LargeBinary, nullable=False),
    schema="core",
)
"""Of which records the open versions of a source are made, where the last snapshot was plain (see ``applied.py``)."""

lock = Table("lock", metadata, Column("name", Text, primary_key=True), schema="core")
