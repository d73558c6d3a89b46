"""Reads what changed: prices, and models that came or went, as believed now or as it became known."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

_COLUMNS = """
SELECT changed_at, source, model_id, provider, region, plan, meter, tier_start, currency, old_currency, change,
       coalesce(cause, entity) AS cause, old_state, new_state, old_unit_price, new_unit_price, ratio, not_before,
       is_economic, is_reversal, is_suspect, position AS cursor, event, known_at
  FROM mart.change_feed
 WHERE (entity = 'price' OR entity = 'model' AND attribute IS NULL)
   AND (source = :source OR CAST(:source AS text) IS NULL)
"""

_BELIEVED = text(
    _COLUMNS
    + """
   AND event = 'assertion' AND counterpart IS NULL
   AND (changed_at >= :since OR CAST(:since AS timestamptz) IS NULL)
   AND (changed_at < :until OR CAST(:until AS timestamptz) IS NULL)
 ORDER BY changed_at, source, model_id, provider NULLS FIRST, region, plan, meter, tier_start
"""
)

_EVENTS = text(_COLUMNS + " AND position > :after AND position <= :upto ORDER BY position")

_OF_PRICES = text(
    _COLUMNS
    + """
   AND position > :after AND position <= :upto AND entity = 'price' AND is_economic
   AND (counterpart IS NULL OR counterpart NOT BETWEEN CAST(:after AS bigint) + 1 AND :upto)
 ORDER BY position
"""
)


def between(
    connection: Connection, *, since: datetime | None = None, until: datetime | None = None, source: str | None = None
) -> Iterator[dict[str, Any]]:
    """Price changes and models that came or went in ``[since, until)``, as believed now, in order of time."""
    rows = connection.execute(_BELIEVED, {"since": since, "until": until, "source": source})
    return (dict(row) for row in rows.mappings())


def events(connection: Connection, *, after: int, upto: int, source: str | None = None) -> Iterator[dict[str, Any]]:
    """What became known between two positions of the feed: assertions and retractions, in their order."""
    rows = connection.execute(_EVENTS, {"after": after, "upto": upto, "source": source})
    return (dict(row) for row in rows.mappings())


def of_prices(connection: Connection, *, after: int, upto: int) -> Iterator[dict[str, Any]]:
    """Economic changes of prices that became known between two positions; what came and went there never held."""
    rows = connection.execute(_OF_PRICES, {"after": after, "upto": upto, "source": None})
    return (dict(row) for row in rows.mappings())


def of_snapshot(connection: Connection, source: str, observed_at: datetime) -> Iterator[dict[str, Any]]:
    """What one snapshot changed."""
    return between(connection, since=observed_at, until=observed_at + timedelta(microseconds=1), source=source)
