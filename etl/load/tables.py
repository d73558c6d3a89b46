"""The tables of ``raw`` and ``core``, and what the versioned relations of ``core`` have in common.

Every relation of history has its own natural key and its own versions; none points at another's version.
A version is true during ``[valid_from, valid_to)`` and believed during ``[known_from, known_to)``. Ending an open
version in order fills ``valid_to`` and, beside it, the moment the end became known: no second row. Only corrections
and late arrivals supersede a row, by closing ``known_to``.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

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
    Index(
        "snapshot_counted_idx",
        "source",
        "observed_at",
        unique=True,
        postgresql_where=text("status IN ('loaded', 'unchanged', 'held')"),
    ),
    Index("snapshot_pending_idx", "source", postgresql_where=text("status = 'landed'")),
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


@dataclass(frozen=True)
class Relation:
    """One versioned relation: its table, its natural key (besides ``source``) and the values that make a version.

    ``scope`` are the columns by which a carried-on scope can match its rows.
    """

    name: str
    table: Table
    stage: Table
    key: tuple[str, ...]
    values: tuple[str, ...]
    scope: tuple[str, ...]


class Spec(NamedTuple):
    """A column that stands both in a relation's table and in the table where it is staged."""

    name: str
    type: Any = Text
    nullable: bool = True

    def column(self) -> Column[Any]:
        """A column of its own for each table."""
        return Column(self.name, self.type, nullable=self.nullable)


def _key(*names: str) -> tuple[Spec, ...]:
    return tuple(Spec(name, nullable=False) for name in names)


def _history(name: str, key: tuple[Spec, ...], values: tuple[Spec, ...], scope: tuple[str, ...] = ()) -> Relation:
    """The table of one relation in ``core``, and the temporary table in which a snapshot of it is staged."""
    names = tuple(spec.name for spec in key)
    table = Table(
        name,
        metadata,
        Column("version_id", BigInteger, Identity(always=True), primary_key=True),
        Column("source", Text, nullable=False),
        *(spec.column() for spec in key + values),
        Column("valid_from", TIMESTAMP, nullable=False),
        Column("valid_to", TIMESTAMP),
        Column("known_from", TIMESTAMP, nullable=False),
        Column("known_to", TIMESTAMP),
        Column("end_known_from", TIMESTAMP),
        CheckConstraint("valid_to > valid_from", name="valid"),
        CheckConstraint("known_to > known_from", name="known"),
        CheckConstraint(
            "(valid_to IS NULL) = (end_known_from IS NULL) AND end_known_from >= known_from",
            name="end_known",
        ),
        Index(f"{name}_open_key", "source", *names, unique=True, postgresql_where=_OPEN),
        Index(f"{name}_version_key", "source", *names, "valid_from", unique=True, postgresql_where=_BELIEVED),
        Index(f"{name}_superseded_idx", "source", "known_to", postgresql_where=text("known_to IS NOT NULL")),
        schema="core",
    )
    stage = Table(
        f"stage_{name}",
        MetaData(),
        *(spec.column() for spec in key + values),
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )
    return Relation(name, table, stage, names, tuple(spec.name for spec in values), scope)


_OPEN = text("valid_to IS NULL AND known_to IS NULL")
_BELIEVED = text("known_to IS NULL")

_ENDPOINT_KEY = _key("model_id", "provider", "region")
_PRICE_KEY = (*_ENDPOINT_KEY, *_key("plan", "meter"), Spec("tier_start", BigInteger, nullable=False))
_NAMED = (Spec("display_name"), Spec("extra", JSONB, nullable=False))

model = _history(
    "model",
    key=_key("model_id"),
    values=(
        Spec("name"),
        Spec("author"),
        Spec("description"),
        Spec("context_length", BigInteger),
        Spec("max_output_tokens", BigInteger),
        Spec("input_modalities", ARRAY(Text)),
        Spec("output_modalities", ARRAY(Text)),
        Spec("supported_parameters", ARRAY(Text)),
        Spec("released_at", TIMESTAMP),
        Spec("deprecated_at", TIMESTAMP),
        Spec("retires_at", TIMESTAMP),
        Spec("status"),
        Spec("aliases", ARRAY(Text)),
        Spec("extra", JSONB, nullable=False),
    ),
    scope=("model_id",),
)

endpoint = _history(
    "endpoint",
    key=_ENDPOINT_KEY,
    values=(
        Spec("provider_model_id"),
        Spec("context_length", BigInteger),
        Spec("max_output_tokens", BigInteger),
        Spec("quantization"),
        Spec("is_ptb", Boolean),
        Spec("supported_parameters", ARRAY(Text)),
        Spec("unsupported_parameters", ARRAY(Text)),
        Spec("rate_limits", JSONB),
        Spec("extra", JSONB, nullable=False),
    ),
    scope=("model_id", "provider", "region"),
)

price = _history(
    "price",
    key=_PRICE_KEY,
    values=(
        Spec("currency", nullable=False),
        Spec("price_state", nullable=False),
        Spec("unit_price", Numeric),
    ),
    scope=("model_id", "provider", "region", "plan", "meter", "tier_start"),
)

provider = _history("provider", key=_key("provider"), values=_NAMED, scope=("provider",))

author = _history("author", key=_key("author"), values=_NAMED)

unseen = _history("unseen", key=_PRICE_KEY, values=(Spec("last_seen_at", TIMESTAMP, nullable=False),))
"""The prices that are in force although the last snapshot could not show them, and when they were last seen."""

price.table.append_constraint(
    CheckConstraint(
        "CASE price_state WHEN 'priced' THEN coalesce(unit_price > 0 AND unit_price < 'Infinity', false) "
        "WHEN 'free' THEN coalesce(unit_price = 0, false) WHEN 'dynamic' THEN unit_price IS NULL ELSE false END",
        name="state",
    )
)

HISTORY = (model, endpoint, price, provider, author, unseen)
"""Every versioned relation."""

stage_scope = Table(
    "stage_scope",
    MetaData(),
    *(Column(name, BigInteger if name == "tier_start" else Text) for name in price.scope),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)
"""The scopes of which the snapshot being loaded cannot speak; a null matches everything."""
