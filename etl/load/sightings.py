"""Looks up the versions of one model's prices, and the snapshots that showed them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

KEY = ("model_id", "provider", "region", "plan", "meter", "tier_start")

_MODELS = text("SELECT DISTINCT model_id FROM mart.model_version WHERE source = :source ORDER BY model_id")

_HAS_PRICES = text("SELECT EXISTS (SELECT FROM mart.price_version WHERE source = :source)")

_VERSIONS = text(
    """
    SELECT v.source, v.model_id, v.provider, v.region, v.plan, v.meter, v.tier_start, v.currency, v.price_state,
           v.unit_price, v.valid_from, v.valid_to, v.known_from,
           coalesce(u.last_seen_at,
                    (SELECT max(o.observed_at) FROM mart.observation o
                      WHERE o.source = v.source AND (v.valid_to IS NULL OR o.observed_at < v.valid_to))) AS last_seen_at
      FROM mart.price_version v
      LEFT JOIN mart.unseen_version u
             ON (u.source, u.model_id, u.provider, u.region, u.plan, u.meter, u.tier_start)
              = (v.source, v.model_id, v.provider, v.region, v.plan, v.meter, v.tier_start)
            AND u.valid_to IS NOT DISTINCT FROM v.valid_to AND u.known_to IS NULL
     WHERE v.source = :source AND v.model_id = :model_id AND v.known_to IS NULL
     ORDER BY v.provider, v.region, v.plan, v.meter, v.tier_start, v.valid_from
    """
)

_SNAPSHOTS = text(
    """
    SELECT n.snapshot_id, n.observed_at, n.origin, n.is_complete, r.kind
      FROM mart.snapshot n
      JOIN raw.snapshot r ON r.snapshot_id = n.snapshot_id
     WHERE n.source = :source AND n.observed_at = ANY(:moments) AND n.status IN ('loaded', 'unchanged')
    """
)


def models(connection: Connection, source: str) -> list[str]:
    """Every model that the source ever listed."""
    return list(connection.scalars(_MODELS, {"source": source}))


def has_prices(connection: Connection, source: str) -> bool:
    """Whether the source ever published a price."""
    return bool(connection.scalar(_HAS_PRICES, {"source": source}))


def versions(connection: Connection, *, source: str, model_id: str) -> list[dict[str, Any]]:
    """Every version of the model's prices as believed now, each with the last moment at which it was seen."""
    found = connection.execute(_VERSIONS, {"source": source, "model_id": model_id})
    return [dict(row) for row in found.mappings()]


def snapshots(connection: Connection, source: str, moments: Iterable[datetime]) -> dict[datetime, dict[str, Any]]:
    """The snapshots of those times that history is made of, by their times."""
    found = connection.execute(_SNAPSHOTS, {"source": source, "moments": list(set(moments))})
    return {row["observed_at"]: dict(row) for row in found.mappings()}
