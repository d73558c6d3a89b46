"""Records in the database what is configured, for those who only read the database: sources, rates and margins.

Configuration has no history of its own: what is configured no longer is taken out again, and whoever records last is
right. Nothing is touched that is already as it should be.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    case,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from etl.domain.meters import CREDIT, USD
from etl.load.locks import lock
from etl.load.tables import TIMESTAMP, fx_rate, margin, source


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceEntry:
    """One source as configured: whether it is pulled by itself, when, and the age at which it counts as stale."""

    source: str
    kind: str
    enabled: bool
    max_age: timedelta
    schedule: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """What one unit of a currency is worth in US dollars; ``valid_from`` null: always was."""

    currency: str
    usd: Decimal
    origin: str
    valid_from: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Margin:
    """By what the gateways of a kind multiply their providers' prices; ``valid_from`` null: always did."""

    kind: str
    factor: Decimal
    origin: str
    valid_from: datetime | None = None


RATES = (
    Rate(currency=USD, usd=Decimal(1), origin="identity"),
    Rate(
        currency=CREDIT,
        usd=Decimal("0.001"),
        origin="configuration: the rate that Majestix documents in public",
    ),
)
"""What holds unless something else is configured; the migrations begin with the same rows."""

MARGINS = (
    Margin(
        kind="majestix",
        factor=Decimal("1.4"),
        origin="configuration: the margin that Majestix documents in public",
    ),
)
"""What holds unless something else is configured; the migrations begin with the same rows."""

_ALWAYS = literal_column("'-infinity'::timestamptz", TIMESTAMP)


def record(
    connection: Connection,
    sources: Iterable[SourceEntry],
    rates: Sequence[Rate],
    margins: Sequence[Margin],
    *,
    now: datetime,
    named: Collection[str] | None = None,
) -> None:
    """Make the database say what is configured, in the caller's transaction.

    Where only some sources are ``named``, no other is disabled: somebody elsewhere may have configured it.
    """
    # Two that record at once would wait for each other's rows.
    lock(connection, "configuration")
    _record_sources(connection, [asdict(each) | {"scheduled_from": now} for each in sources], named)
    _become(connection, fx_rate, "currency", [*map(asdict, RATES), *map(_configured, rates)])
    _become(connection, margin, "kind", [*map(asdict, MARGINS), *map(_configured, margins)])


def _record_sources(connection: Connection, rows: list[dict[str, Any]], named: Collection[str] | None) -> None:
    """Every configured source has its row; one that nobody configures is disabled, for its history stays."""
    # Who loads a source holds its row, and what need not be written need not be waited for.
    facts = ("kind", "enabled", "max_age", "schedule")
    known = {row.source: row for row in connection.execute(select(source))}
    gone = [name for name, row in known.items() if row.enabled and name not in {row["source"] for row in rows}]
    if gone and named is None:
        connection.execute(update(source).where(source.c.source.in_(gone)).values(enabled=False))

    def is_news(row: dict[str, Any]) -> bool:
        before = known.get(row["source"])
        if before is None:
            return True
        may_change = named is None or row["enabled"] or row["source"] in named
        return may_change and any(row[fact] != getattr(before, fact) for fact in facts)

    new = [row for row in rows if is_news(row)]
    if new:
        _put(connection, source, ["source"], sorted(new, key=lambda row: str(row["source"])), since="scheduled_from")


def _configured(entry: Rate | Margin) -> dict[str, Any]:
    return asdict(entry) | {"origin": f"configuration: {entry.origin}"}


def _become(connection: Connection, table: Table, what: str, rows: list[dict[str, Any]]) -> None:
    """Give a dated table exactly these rows; of two for one moment the later one counts."""
    wanted = {(row[what], row["valid_from"]): row | {"valid_from": _at(row["valid_from"])} for row in rows}
    if _is_already(connection, table, list(wanted.values())):
        return
    keys = (and_(table.c[what] == name, table.c.valid_from == _at(moment)) for name, moment in wanted)
    connection.execute(delete(table).where(~or_(*keys)))
    _put(connection, table, [what, "valid_from"], list(wanted.values()))


def _is_already(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> bool:
    """Whether a table has exactly these rows. A statement that touches nothing would still wake its triggers."""
    is_wanted = or_(*(and_(*(table.c[name] == value for name, value in row.items())) for row in rows))
    found, wanted = connection.execute(select(func.count(), func.count().filter(is_wanted)).select_from(table)).one()
    return bool(found == wanted == len(rows))


def _at(moment: datetime | None) -> Any:
    return _ALWAYS if moment is None else literal(moment, TIMESTAMP)


def _put(
    connection: Connection, table: Table, key: list[str], rows: list[dict[str, Any]], since: str | None = None
) -> None:
    """Add the rows, and change those that are there and differ.

    ``since`` is no difference itself: it is when a source was enabled, or its schedule changed.
    """
    adding = upsert(table).values(rows)
    values = [name for name in rows[0] if name not in key]
    become: dict[str, ColumnElement[Any]] = {name: adding.excluded[name] for name in values}
    if since:
        goes_on = table.c.enabled & table.c.schedule.is_not_distinct_from(adding.excluded.schedule)
        become[since] = case((goes_on, table.c[since]), else_=adding.excluded[since])
    differs = or_(*(table.c[name].is_distinct_from(adding.excluded[name]) for name in values if name != since))
    connection.execute(adding.on_conflict_do_update(index_elements=key, set_=become, where=differs))
