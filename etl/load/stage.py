"""Puts one catalog into temporary tables by COPY, shaped like the relations of history."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Table, text

from etl.domain import jsontext
from etl.domain.catalog import Catalog, Price, Quarantined, Scope
from etl.load import relations
from etl.load.relations import Relation


def stage(connection: Connection, catalog: Catalog) -> list[Relation]:
    """Fill the temporary tables; they live until the end of the transaction, or until staged again.

    Returns the relations of which the catalog speaks.
    """
    spoken = {
        relations.provider: catalog.providers,
        relations.author: catalog.authors,
        relations.model: catalog.models,
        relations.endpoint: catalog.endpoints,
        relations.price: catalog.prices,
    }
    for relation, records in spoken.items():
        copy(connection, relation.stage, _rows(relation, records or ()))
    copy(connection, relations.unseen.stage, ())
    copy(connection, relations.stage_scope, (_scope(scope) for scope in _scopes(catalog.quarantined)))
    return [relation for relation, records in spoken.items() if records is not None]


def copy(connection: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    """Make a temporary table anew and fill it in one round trip."""
    connection.execute(text(f"DROP TABLE IF EXISTS pg_temp.{table.name}"))
    table.create(connection)
    columns = ", ".join(table.c.keys())
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101  an open connection has one
    with driver.cursor() as cursor, cursor.copy(f"COPY pg_temp.{table.name} ({columns}) FROM STDIN") as sink:
        for row in rows:
            sink.write_row(row)
    connection.execute(text(f"ANALYZE pg_temp.{table.name}"))


def _rows(relation: Relation, records: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    if relation is relations.price:
        yield from map(_price, records)
        return
    fields = attrgetter(*relation.stage.c.keys())
    for record in records:
        yield tuple(map(_field, fields(record)))


def _price(price: Price) -> tuple[Any, ...]:
    return (
        price.model_id,
        price.provider,
        price.region,
        price.plan,
        price.meter.value,
        price.tier_start,
        price.currency,
        price.quote.state.value,
        price.quote.unit_price,
    )


def _field(value: Any) -> Any:
    """A value as COPY takes it: JSON as text, tuples as arrays."""
    match value:
        case Mapping():
            return jsontext.encode(value)
        case tuple():
            return list(value)
        case _:
            return value


def _scopes(quarantined: Iterable[Quarantined]) -> set[Scope]:
    return {scope for record in quarantined for scope in record.scopes}


_scope: Callable[[Scope], tuple[Any, ...]] = attrgetter(*relations.stage_scope.c.keys())
