"""The tables of the ledger: runs, and the due times of the sources."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Identity, Index, Table, Text, text

from etl.load.tables import TIMESTAMP
from etl.load.tables import metadata as metadata  # noqa: PLC0414  the same one, with these tables in it

run = Table(
    "run",
    metadata,
    Column("run_id", BigInteger, Identity(always=True), primary_key=True),
    Column("source", Text, ForeignKey("core.source.source"), nullable=False),
    Column("due_at", TIMESTAMP),
    Column("caller", Text, CheckConstraint("caller IN ('schedule', 'run')", name="caller"), nullable=False),
    Column("worker", Text, nullable=False),
    Column("started_at", TIMESTAMP, nullable=False),
    Column("ended_at", TIMESTAMP),
    Column("outcome", Text),
    Column("snapshot_id", BigInteger, ForeignKey("raw.snapshot.snapshot_id")),
    Column("error", Text),
    Index("run_going_on_key", "source", unique=True, postgresql_where=text("outcome IS NULL")),
    Index(
        "run_slot_key",
        "source",
        "due_at",
        unique=True,
        postgresql_where=text("outcome NOT IN ('abandoned', 'stopped')"),
    ),
    Index("run_source_started_at_idx", "source", "started_at"),
    Index("run_started_at_idx", "started_at"),
    schema="core",
)

slot = Table(
    "slot",
    metadata,
    Column("source", Text, ForeignKey("core.source.source"), primary_key=True),
    Column("due_at", TIMESTAMP, primary_key=True),
    Column("status", Text, CheckConstraint("status IN ('taken', 'done', 'missed')", name="status"), nullable=False),
    Column("run_id", BigInteger, ForeignKey("core.run.run_id")),
    Column("reason", Text),
    Index("slot_run_id_idx", "run_id"),
    Index("slot_due_at_idx", "due_at"),
    schema="core",
)
