"""Everything that a warehouse holds, as text that can be compared."""

from sqlalchemy import Engine, text

TABLES = (
    "raw.content",
    "raw.snapshot",
    "raw.page",
    "core.source",
    "core.snapshot",
    "core.quarantine",
    "core.unmapped_field",
    "core.model",
    "core.endpoint",
    "core.price",
    "core.provider",
    "core.author",
    "core.unseen",
    "core.price_change",
    "core.catalog_change",
    "core.basket_move",
)

HISTORY = TABLES[7:-1]
"""The tables that have both clocks."""


def dump(engine: Engine) -> dict[str, list[str]]:
    """Every row of every table, sorted."""
    with engine.connect() as connection:
        return {table: sorted(connection.scalars(text(f"SELECT t::text FROM {table} t")).all()) for table in TABLES}
