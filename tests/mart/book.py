"""Puts the oracle's book of prices into a warehouse as it stands, on both clocks, past the pipeline."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, text

from etl.database.driver import copy_in
from tests.oracle.cost import Book, Version

CLOCKS = ("valid_from", "valid_to", "known_from", "known_to", "end_known_from")
MODEL = ("source", "model_id")
ENDPOINT = (*MODEL, "provider", "region")
PRICE = (*ENDPOINT, "plan", "meter", "tier_start", "currency", "price_state", "unit_price")


def fill(connection: Connection, book: Book) -> None:
    """Store the whole book."""
    for source in sorted(book.sources):
        connection.execute(text("INSERT INTO core.source (source, kind) VALUES (:s, 'bifrost')"), {"s": source})
    for table, columns, versions in (
        ("core.model", (*MODEL, "extra"), book.models),
        ("core.endpoint", (*ENDPOINT, "extra"), book.endpoints),
        ("core.price", PRICE, book.prices),
    ):
        extra = ("{}",) if columns[-1] == "extra" else ()
        rows = [_row(version, extra) for each in versions.values() for version in each]
        copy_in(connection, table, (*columns, *CLOCKS), rows)
    for currency, rates in book.rates.items():
        for valid_from, usd in rates:
            connection.execute(
                text(
                    "INSERT INTO core.fx_rate (currency, valid_from, usd, origin) VALUES (:c, :v, :u, 'test')"
                    " ON CONFLICT DO NOTHING"
                ),
                {"c": currency, "v": valid_from, "u": usd},
            )


def analyze(connection: Connection) -> None:
    """Tell the planner what is there, as autovacuum would after a while."""
    connection.execute(text("ANALYZE core.price, core.model, core.endpoint"))


def _row(version: Version, extra: tuple[str, ...]) -> tuple[Any, ...]:
    return (*version.key, *version.value, *extra, *(getattr(version, clock) for clock in CLOCKS))


def put(book: Book, kind: str, versions: Iterable[Version]) -> None:
    """Add versions of models, endpoints or prices under the keys that questions ask by."""
    for version in versions:
        key = version.key[:-1] if kind == "prices" else version.key
        getattr(book, kind)[key].append(version)
