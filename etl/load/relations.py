"""The versioned relations of ``core``, and what they have in common.

Every relation has its own natural key and its own versions; none points at another's version. A version is true
during ``[valid_from, valid_to)`` and believed during ``[known_from, known_to)``. Ending an open version in order fills
``valid_to`` and, beside it, the moment the end became known: no second row. Only corrections and late arrivals
supersede a row, by closing ``known_to``.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Index,
    MetaData,
    Numeric,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from etl.load.derived_tables import metadata as metadata  # noqa: PLC0414  with these relations it is the whole schema
from etl.load.tables import TIMESTAMP


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
        postgresql_on_commit="DELETE ROWS",
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

Index("price_valid_from_idx", price.table.c.valid_from, postgresql_where=_BELIEVED)

for _relation in (model, endpoint, price):
    # What is in force has no end, or one that is still to come: views of the present find both here.
    Index(f"{_relation.name}_valid_to_idx", _relation.table.c.valid_to, postgresql_where=_BELIEVED)

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
    postgresql_on_commit="DELETE ROWS",
)
"""The scopes of which the snapshot being loaded cannot speak; a null matches everything."""
