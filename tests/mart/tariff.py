"""A gateway with one model and the prices that a test names, and what a usage costs there."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, text

from tests.mart.book import fill, put
from tests.oracle.cost import Book, Line, Version

DAY = timedelta(days=1)
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
GATEWAY = ("gateway", "maker/model", "provider", "*")

Quoted = str | Mapping[int, str]
"""A price, as text: an amount, 0 for free, or dynamic; or one for each tier."""


def tariff(prices: Mapping[str, Quoted], **other: Any) -> Book:
    """A gateway that shows these prices from the first day on."""
    made = Book(sources={GATEWAY[0]})
    put(made, "models", [version(GATEWAY[:2])])
    put(made, "endpoints", [version(GATEWAY)])
    add(made, prices, **other)
    return made


def add(made: Book, prices: Mapping[str, Quoted], **other: Any) -> None:
    """Show further prices: in another plan or currency, on other days, as believed at other times."""
    plan, currency = other.pop("plan", "standard"), other.pop("currency", "USD")
    for meter, quoted in prices.items():
        for tier, amount in ({0: quoted} if isinstance(quoted, str) else quoted).items():
            key = (*GATEWAY, plan, meter, tier)
            put(made, "prices", [version(key, (currency, *_price(amount)), **other)])


def version(key: tuple[Any, ...], value: tuple[Any, ...] = (), **clocks: Any) -> Version:
    """What holds, and is known, from the first day on unless the clocks say otherwise."""
    clocks = {"valid_from": FIRST, "known_from": clocks.get("valid_from", FIRST)} | clocks
    if clocks.get("valid_to"):
        clocks = {"end_known_from": max(clocks["valid_to"], clocks["known_from"])} | clocks
    return Version(key=key, value=value, **clocks)


def _price(amount: str) -> tuple[str, Decimal | None]:
    if amount == "dynamic":
        return "dynamic", None
    return ("priced" if Decimal(amount) else "free"), Decimal(amount)


def store(engine: Engine, made: Book) -> None:
    """Put the book into the warehouse."""
    with engine.begin() as connection:
        fill(connection, made)


ASK = text(
    "SELECT * FROM mart.usage_cost(:source, :model_id, :provider, :region, CAST(:usage AS jsonb),"
    " CAST(:at AS timestamptz), CAST(:known_at AS timestamptz), :plan)"
)


def ask(engine: Engine, usage: object, **other: Any) -> list[Any]:
    """What each meter of a usage costs at the gateway on the first day, as believed now: a ``Line`` each."""
    asked: dict[str, Any] = dict(zip(("source", "model_id", "provider", "region"), GATEWAY, strict=True))
    asked |= {"usage": usage if isinstance(usage, str | None) else json.dumps(usage), "plan": "standard"}
    with engine.connect() as connection:
        rows = connection.execute(ASK, asked | {"at": FIRST, "known_at": None} | other).all()
    return [Line(*row) for row in rows]


def costs(engine: Engine, usage: object, **other: Any) -> dict[str | None, str | None]:
    """The cost of each meter as it is written, or the reason why there is none."""
    return {
        line.meter: line.note if line.cost is None else format(line.cost, "f") for line in ask(engine, usage, **other)
    }
