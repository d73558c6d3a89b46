"""Warehouses of several invented gateways, for what compares them."""

from typing import Any

from sqlalchemy import Engine, text

from tests.load.believing import load
from tests.load.worlds import World

METERS = {"in": "prompt", "out": "completion", "read": "input_cache_read", "write": "input_cache_write"}


def offer(**prices: str) -> tuple[str | None, dict[str, str]]:
    """A model with prices in USD per million tokens, by the short names of its meters."""
    return None, {METERS[meter]: price if price == "-1" else f"{price}e-6" for meter, price in prices.items()}


def gateways(engine: Engine, **sources: dict[str, tuple[str | None, dict[str, str]]]) -> None:
    """Load one snapshot of each gateway."""
    for name, models in sources.items():
        load(engine, name, 0, World(models))


def rows(engine: Engine, sql: str, **given: object) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(sql), given))
