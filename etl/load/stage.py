"""Puts one catalog into temporary tables by COPY, shaped like the relations of history."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from etl.database.driver import copy_in, run_script
from etl.domain import jsontext
from etl.domain.catalog import Catalog, Price, Quarantined, Scope
from etl.load import relations
from etl.load.relations import Relation


def staged(connection: Connection, catalog: Catalog) -> list[Relation]:
    """Have the catalog in the temporary tables for a merge: staged now, unless it was just staged to be doubted.

    Returns the relations of which the catalog speaks.
    """
    last, at = connection.info.pop("doubted", (None, None))
    if last is catalog and at is connection.get_transaction():
        return _spoken(catalog)
    return stage(connection, catalog)


def stage_in_doubt(connection: Connection, catalog: Catalog) -> None:
    """Stage a catalog to compare it with history; if it is then merged, that need not be done again."""
    stage(connection, catalog)
    connection.info["doubted"] = (catalog, connection.get_transaction())


def stage(connection: Connection, catalog: Catalog) -> list[Relation]:
    """Fill the temporary tables; what is in them lasts until the end of the transaction, or until staged again.

    Returns the relations of which the catalog speaks.
    """
    connection.info.pop("doubted", None)
    _make_room(connection, sum(len(records or ()) for records in _records(catalog).values()))
    for relation, records in _records(catalog).items():
        _copy(connection, relation.stage, _rows(relation, records or ()))
    _copy(connection, relations.stage_scope, [_scope(scope) for scope in _scopes(catalog.quarantined)])
    return _spoken(catalog)


def _records(catalog: Catalog) -> dict[Relation, Sequence[Any] | None]:
    return {
        relations.provider: catalog.providers,
        relations.author: catalog.authors,
        relations.model: catalog.models,
        relations.endpoint: catalog.endpoints,
        relations.price: catalog.prices,
    }


def _spoken(catalog: Catalog) -> list[Relation]:
    return [relation for relation, records in _records(catalog).items() if records is not None]


_TABLES = (*(relation.stage for relation in relations.HISTORY), relations.stage_scope)

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]

_MAKE_TABLES = "".join(f"{CreateTable(table, if_not_exists=True).compile(dialect=_DIALECT)};" for table in _TABLES)
"""One round trip for all of them; a session that stages again finds them there, empty."""

_DELETE = "".join(f"DELETE FROM pg_temp.{table.name};" for table in _TABLES)  # noqa: S608  our own names
_TRUNCATE = f"TRUNCATE {', '.join(f'pg_temp.{table.name}' for table in _TABLES)}"


def _make_room(connection: Connection, coming: int) -> None:
    """Have the tables there and empty, whatever an earlier snapshot of this transaction left in them.

    A few rows are deleted, for the files of a truncated table are made anew; many would be waded through for ever.
    """
    transaction, rows = connection.info.get("staged", (None, 0))
    was_staged = transaction is connection.get_transaction()
    empty = (_DELETE if rows < _MANY else _TRUNCATE) if was_staged else ""
    run_script(connection, _MAKE_TABLES + empty)
    rows = rows + coming if was_staged and rows < _MANY else coming
    connection.info["staged"] = (connection.get_transaction(), rows)


_MANY = 1000
"""Rows from which on the planner is told how many there are: below it, any plan will do."""

_ROUGHLY = "SET LOCAL default_statistics_target = 10"
"""A small sample tells enough of keys that all differ."""


def _copy(connection: Connection, table: Table, rows: list[tuple[Any, ...]]) -> None:
    """Fill a temporary table in one round trip."""
    if not rows:
        return
    copy_in(connection, f"pg_temp.{table.name}", table.c.keys(), rows)
    if len(rows) >= _MANY:
        run_script(connection, f"{_ROUGHLY}; ANALYZE pg_temp.{table.name}")


def _rows(relation: Relation, records: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Records as rows of the relation's staging table."""
    if relation is relations.price:
        return list(map(_price, records))
    values: Callable[[Any], tuple[Any, ...]] = attrgetter(*relation.stage.c.keys())
    return [tuple(map(_field, values(record))) for record in records]


_price: Callable[[Price], tuple[Any, ...]] = attrgetter(
    *("model_id", "provider", "region", "plan", "meter.value", "tier_start", "currency"),
    *("quote.state.value", "quote.unit_price"),
)


def _field(value: Any) -> Any:
    """A value as COPY takes it: JSON as text, tuples as arrays."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, Mapping):
        return jsontext.encode(value) if value else "{}"
    return list(value) if type(value) is tuple else value


def _scopes(quarantined: Iterable[Quarantined]) -> set[Scope]:
    return {scope for record in quarantined for scope in record.scopes}


_scope: Callable[[Scope], tuple[Any, ...]] = attrgetter(*relations.stage_scope.c.keys())
