"""Reads what changed: prices, and models that came or went."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

_CHANGES = """
SELECT changed_at, source, model_id, provider, region, plan, meter, tier_start, currency, change, cause,
       old_state, new_state, old_unit_price, new_unit_price, ratio, not_before, is_economic, is_reversal, is_suspect
  FROM mart.price_change
 WHERE (changed_at >= :since OR CAST(:since AS timestamptz) IS NULL)
   AND (changed_at < :until OR CAST(:until AS timestamptz) IS NULL)
   AND (source = :source OR CAST(:source AS text) IS NULL)
UNION ALL
SELECT changed_at, source, model_id, NULL, NULL, NULL, NULL, NULL, NULL, change, entity,
       NULL, NULL, NULL, NULL, NULL, not_before, NULL, NULL, NULL
  FROM mart.catalog_change
 WHERE entity = 'model' AND change IN ('came', 'went', 'returned')
   AND (changed_at >= :since OR CAST(:since AS timestamptz) IS NULL)
   AND (changed_at < :until OR CAST(:until AS timestamptz) IS NULL)
   AND (source = :source OR CAST(:source AS text) IS NULL)
 ORDER BY changed_at, source, model_id, provider NULLS FIRST, region, plan, meter, tier_start
"""


def between(
    connection: Connection, *, since: datetime | None = None, until: datetime | None = None, source: str | None = None
) -> Iterator[dict[str, Any]]:
    """Price changes and models that came or went in ``[since, until)``, in order of time."""
    rows = connection.execute(text(_CHANGES), {"since": since, "until": until, "source": source})
    return (dict(row) for row in rows.mappings())


def of_snapshot(connection: Connection, source: str, observed_at: datetime) -> Iterator[dict[str, Any]]:
    """What one snapshot changed."""
    return between(connection, since=observed_at, until=observed_at + timedelta(microseconds=1), source=source)
