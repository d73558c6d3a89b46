"""Prices that look like mistakes, and those that a person accepted: listed, accepted, withdrawn.

An acceptance is of one price, by key and amount, as long as it lasts. It stays in the table after it was withdrawn.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from etl.errors import UsageError
from etl.load import suspicion


def suspects(connection: Connection, source: str | None = None) -> list[dict[str, Any]]:
    """Return the prices in force that look like mistakes, with what others ask; accepted ones are left out."""
    return _rows(connection, _SUSPECTS, source)


def accepted(connection: Connection, source: str | None = None) -> list[dict[str, Any]]:
    """Return the prices that are accepted, with who accepted them, when and why."""
    return _rows(connection, _ACCEPTED, source)


def accept(connection: Connection, ids: Sequence[str], *, by: str, why: str, now: datetime) -> list[dict[str, Any]]:
    """Accept suspect prices in the caller's transaction, all of them or none, and return them.

    Raises ``UsageError`` for an ID that names no suspect price.
    """
    suspicion.refresh(connection)
    chosen = _named(ids, suspects(connection), "no suspect price: `etl suspects` lists them")
    for each in chosen:
        connection.execute(_ACCEPT, each | {"by": by, "why": why, "now": now})
    suspicion.refresh(connection)
    return chosen


def withdraw(connection: Connection, ids: Sequence[str], *, by: str, now: datetime) -> list[dict[str, Any]]:
    """Withdraw acceptances in the caller's transaction, all of them or none, and return the prices.

    Raises ``UsageError`` for an ID that names no accepted price.
    """
    chosen = _named(ids, accepted(connection), "no accepted price: `etl suspects --accepted` lists them")
    for each in chosen:
        connection.execute(_WITHDRAW, {"id": each["acceptance_id"], "by": by, "now": now})
    suspicion.refresh(connection)
    return chosen


def _rows(connection: Connection, query: Any, source: str | None) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query, {"source": source}).mappings()]


def _named(ids: Sequence[str], rows: list[dict[str, Any]], otherwise: str) -> list[dict[str, Any]]:
    """Return the rows of these IDs. Raises ``UsageError`` for one that has none."""
    known = {row["suspect_id"] for row in rows}
    for each in ids:
        if each not in known:
            raise UsageError(f"{each} is {otherwise}")
    return [row for row in rows if row["suspect_id"] in ids]


_SHOWN = """
    suspect_id, source, model_id, provider, region, plan, meter, tier_start, currency, unit_price,
    trim_scale(unit_price * 1000000) AS per_million
"""

_SUSPECTS = text(
    f"""
    SELECT {_SHOWN}, reasons, valid_from, others_unit_price,
           trim_scale(others_unit_price * 1000000) AS others_per_million, last_unit_price
      FROM mart.suspect_price
     WHERE source = :source OR CAST(:source AS text) IS NULL
     ORDER BY source, model_id, provider, region, plan, meter, tier_start
    """  # noqa: S608  the columns above
)

_ACCEPTED = text(
    f"""
    SELECT {_SHOWN}, reasons, valid_from, accepted_at, accepted_by, why, acceptance_id
      FROM mart.accepted_price
     WHERE withdrawn_at IS NULL AND (source = :source OR CAST(:source AS text) IS NULL)
     ORDER BY source, model_id, provider, region, plan, meter, tier_start, accepted_at
    """  # noqa: S608  the columns above
)

_ACCEPT = text(
    """
    INSERT INTO core.acceptance (source, model_id, provider, region, plan, meter, tier_start, currency, unit_price,
                                 valid_from, reasons, accepted_by, why, known_from)
    VALUES (:source, :model_id, :provider, :region, :plan, :meter, :tier_start, :currency, :unit_price,
            :valid_from, :reasons, :by, :why, :now)
    """
)

_WITHDRAW = text(
    "UPDATE core.acceptance SET withdrawn_by = :by, known_to = greatest(:now, known_from) WHERE acceptance_id = :id"
)
