"""Reads the log: what happened to each source and to each snapshot."""

from typing import Any

from sqlalchemy import Connection, text

_STATUS = text(
    """
    SELECT s.source, s.kind, last.landed_at AS last_attempt_at, last.status, last.reason,
           (SELECT max(n.observed_at) FROM mart.snapshot n
             WHERE n.source = s.source AND n.is_complete AND n.origin = 'run'
               AND n.status IN ('loaded', 'unchanged')) AS last_complete_at,
           (SELECT count(*) FROM mart.model_current m WHERE m.source = s.source) AS models,
           (SELECT count(*) FROM mart.price_current p WHERE p.source = s.source) AS prices
      FROM core.source s
      LEFT JOIN LATERAL (SELECT n.* FROM mart.snapshot n WHERE n.source = s.source
                          ORDER BY n.landed_at DESC, n.snapshot_id DESC LIMIT 1) last ON true
     ORDER BY s.source
    """
)

_SNAPSHOTS = text(
    """
    SELECT * FROM mart.snapshot
     WHERE source = :source OR CAST(:source AS text) IS NULL
     ORDER BY observed_at DESC, snapshot_id DESC LIMIT :limit
    """
)


def status(connection: Connection) -> list[dict[str, Any]]:
    """For each source that ever landed anything: its last attempt, its last complete live snapshot, what it holds."""
    return [dict(row) for row in connection.execute(_STATUS).mappings()]


def snapshots(connection: Connection, *, source: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest rows of ``mart.snapshot``."""
    return [dict(row) for row in connection.execute(_SNAPSHOTS, {"source": source, "limit": limit}).mappings()]
