"""The tables of ``core`` that are derived from history: changes, the basket of the price index, identity.

They could be thrown away and made anew from the versions; what was believed of a change, and when, could not.
"""

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    Sequence,
    Table,
    Text,
    text,
)

from etl.load.alert_tables import metadata as metadata  # noqa: PLC0414  the same one, with these tables in it
from etl.load.tables import TIMESTAMP

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

mart_object = Table(
    "mart_object",
    metadata,
    Column("name", Text, primary_key=True),
    Column("file", Text, nullable=False),
    Column("definition", Text, nullable=False),
    Column("server", Integer, nullable=False),
    schema="core",
)
"""The digests of each view and function of the mart: of its file, and of what a server of that major version holds."""

_KEY = ("source", "model_id", "provider", "region", "plan", "meter")


def _key_of_a_price(*, is_primary: bool) -> tuple[Column[Any], ...]:
    """The columns by which a price is known."""
    texts = (Column(name, Text, primary_key=is_primary, nullable=False) for name in _KEY)
    return *texts, Column("tier_start", BigInteger, primary_key=is_primary, nullable=False, autoincrement=False)


suspicion = Table(
    "suspicion",
    metadata,
    *_key_of_a_price(is_primary=True),
    Column("valid_from", TIMESTAMP, primary_key=True),
    Column("valid_to", TIMESTAMP),
    Column("currency", Text, nullable=False),
    Column("unit_price", Numeric, nullable=False),
    Column("reasons", ARRAY(Text), nullable=False),
    Column("last_unit_price", Numeric),
    Column("others_unit_price", Numeric),
    Column("is_accepted", Boolean, nullable=False),
    Index("suspicion_end_key", *_KEY, "tier_start", "valid_to", unique=True),
    schema="core",
)
"""Versions of prices that look like mistakes, judged across all sources; filled by ``etl/load/suspicion.py``."""

suspicion_mark = Table(
    "suspicion_mark",
    metadata,
    Column("mark", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    schema="core",
)
"""From which rules, links and acceptances the suspicions were derived, and up to where in the feed."""

acceptance = Table(
    "acceptance",
    metadata,
    Column("acceptance_id", BigInteger, Identity(always=True), primary_key=True),
    *_key_of_a_price(is_primary=False),
    Column("currency", Text, nullable=False),
    Column("unit_price", Numeric, nullable=False),
    Column("valid_from", TIMESTAMP, nullable=False),
    Column("reasons", ARRAY(Text), nullable=False),
    Column("accepted_by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("known_from", TIMESTAMP, nullable=False),
    Column("withdrawn_by", Text),
    Column("known_to", TIMESTAMP),
    CheckConstraint("(known_to IS NULL) = (withdrawn_by IS NULL) AND known_to >= known_from", name="known"),
    Index(
        "acceptance_current_key",
        *_KEY,
        *("tier_start", "currency", "unit_price", "valid_from"),
        unique=True,
        postgresql_where=text("known_to IS NULL"),
    ),
    schema="core",
)
"""Prices that look like mistakes and that a person found right: who, when and why, until it is withdrawn."""

feed_position = Sequence("feed_position", metadata=metadata, schema="core")
"""Where an assertion or a retraction of a change stands in the feed; dealt out under the feed's lock alone."""


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
    Column("old_currency", Text),
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
