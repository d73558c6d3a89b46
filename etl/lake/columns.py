"""How a column of the mart is exported: its type in files, and the SQL that gives it for them.

An amount is an exact ``DECIMAL(38, 20)``. Where any value of a column has more digits than that, the whole column is
text, so that it has one type in all files and no digit is lost; beside it stands a double, for those who calculate.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, Double, Text, and_, cast, func, select, table, text
from sqlalchemy import column as column_of

from etl.lake.relations import Relation

PRECISION, SCALE = 38, 20
DECIMAL = pa.decimal128(PRECISION, SCALE)
TIME = pa.timestamp("us", tz="UTC")
TEXTS = pa.list_(pa.field("element", pa.string()))

_TYPES: Mapping[str, pa.DataType] = {
    "text": pa.string(),
    "text[]": TEXTS,
    "jsonb": pa.string(),
    "boolean": pa.bool_(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "numeric": DECIMAL,
    "double precision": pa.float64(),
    "timestamp with time zone": TIME,
    "date": pa.date32(),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column: its type in Postgres and in files, and what the mart says that it means.

    ``amount`` is the column of the mart that a double is made of.
    """

    name: str
    postgres: str
    type: pa.DataType
    comment: str
    amount: str | None = None

    @property
    def is_text_for_its_digits(self) -> bool:
        """Whether it is an amount that is exported as text."""
        return self.postgres == "numeric" and self.type != DECIMAL

    @property
    def sql(self) -> ColumnElement[Any]:
        """What gives it as CSV. A list is a JSON array."""
        value: ColumnElement[Any] = column_of(self.amount or self.name)
        match self.postgres:
            case "text[]":
                return cast(func.to_json(value), Text)
            case "jsonb":
                return cast(value, Text)
            case "numeric":
                return func.trim_scale(value)
            case "double precision":
                return cast(value, Double)
            case _:
                return value

    @property
    def field(self) -> pa.Field:
        """The column of a file, with its meaning."""
        return pa.field(self.name, self.type, metadata={"doc": self.comment})


def columns(
    connection: Connection, relation: Relation, sources: Collection[str] | None, texts: Collection[str]
) -> tuple[Column, ...]:
    """The columns of a relation.

    The amounts among ``texts`` are text, and so are those with too many digits in any of these sources (null: all).
    """
    found = connection.execute(_COLUMNS, {"name": relation.name}).all()
    amounts = [row.name for row in found if row.type == "numeric"]
    long = {*texts, *_too_long(connection, relation, sources, amounts)}
    names = {row.name for row in found}
    return tuple(
        column
        for row in found
        for column in (
            Column(
                name=row.name,
                postgres=row.type,
                type=pa.string() if row.name in long else _TYPES.get(row.type, pa.string()),
                comment=row.comment,
            ),
            *([_double_of(row.name)] if row.name in long and _double_of(row.name).name not in names else ()),
        )
    )


def _double_of(amount: str) -> Column:
    """Return the column of doubles that stands beside an amount which is text."""
    return Column(
        name=f"{amount}_double",
        postgres="double precision",
        type=pa.float64(),
        comment=f"{amount} as a double: 15 digits of it, to calculate with; the exact amount is the text",
        amount=amount,
    )


def _too_long(
    connection: Connection, relation: Relation, sources: Collection[str] | None, amounts: list[str]
) -> list[str]:
    """The amounts of which some value does not fit into the decimal."""
    if not amounts:
        return []
    # A value that is no number has no scale, and is larger than any bound.
    fits = (
        func.bool_and(
            and_(
                func.coalesce(func.scale(func.trim_scale(column_of(name))) <= SCALE, True),
                func.coalesce(func.abs(column_of(name)) < 10 ** (PRECISION - SCALE), True),
            )
        ).label(name)
        for name in amounts
    )
    query = select(*fits).select_from(table(relation.name, schema="mart"))
    if relation.has_source and sources is not None:
        query = query.where(column_of("source").in_(sources))
    row = connection.execute(query).one()
    return [name for name, is_fit in zip(amounts, row, strict=True) if is_fit is False]


_COLUMNS = text(
    """
    SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type,
           coalesce(col_description(a.attrelid, a.attnum), '') AS comment
      FROM pg_attribute a
     WHERE a.attrelid = to_regclass('mart.' || :name) AND a.attnum > 0 AND NOT a.attisdropped
     ORDER BY a.attnum
    """
)
