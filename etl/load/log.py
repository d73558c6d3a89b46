"""Reads the log: what happened to each source and to each snapshot."""

from typing import Any

from sqlalchemy import Connection, select, text

from etl.load import tables

_STATUS = text(
    """
    SELECT h.source, h.kind, h.enabled AS is_recorded_enabled, h.status, h.last_attempt_at, h.last_complete_at,
           h.last_change_at, s.max_age, h.consecutive_failures, h.held_snapshots, h.quarantined_records,
           h.unmapped_fields, h.last_error,
           CASE WHEN last.status IS NULL AND h.status = 'failing' THEN 'failed' ELSE last.status END AS last_status,
           coalesce(last.reason, h.last_error) AS reason,
           h.status = 'never' AND s.scheduled_from < now() - s.max_age AS is_overdue,
           (SELECT count(*) FROM mart.slot m
             WHERE m.source = h.source AND m.status = 'missed'
               AND m.due_at BETWEEN now() - interval '1 day' AND now()) AS missed_slots,
           (SELECT q.example FROM mart.data_quality q
             WHERE q.source = h.source AND q.problem = 'set_aside') AS set_aside,
           (SELECT count(*) FROM mart.model_current m WHERE m.source = h.source) AS models,
           (SELECT count(*) FROM mart.price_current p WHERE p.source = h.source) AS prices
      FROM mart.source_health h
      JOIN core.source s ON s.source = h.source
      LEFT JOIN LATERAL (SELECT c.status, c.reason
                           FROM raw.snapshot r JOIN core.snapshot c ON c.snapshot_id = r.snapshot_id
                          WHERE r.source = h.source AND r.origin = 'run' AND r.observed_at = h.last_attempt_at
                          ORDER BY r.snapshot_id DESC LIMIT 1) last ON true
     ORDER BY h.source
    """
)

_SNAPSHOTS = text(
    """
    SELECT * FROM mart.snapshot
     WHERE source = :source OR CAST(:source AS text) IS NULL
     ORDER BY observed_at DESC, snapshot_id DESC LIMIT :limit
    """
)

_SLOTS = text(
    """
    SELECT * FROM mart.slot
     WHERE (source = :source OR CAST(:source AS text) IS NULL) AND (status = 'missed' OR NOT :is_missed_only)
     ORDER BY due_at DESC, source LIMIT :limit
    """
)


def status(connection: Connection) -> list[dict[str, Any]]:
    """The health of each source that is or was configured or landed anything, with what it holds.

    ``last_status`` and ``reason`` are those of its last live attempt, ``missed_slots`` counts those of the last day;
    ``set_aside`` names the first snapshot that was, and why. ``is_overdue``: it was never attempted although it has
    been scheduled for longer than its max_age.
    """
    return [dict(row) for row in connection.execute(_STATUS).mappings()]


def names(connection: Connection) -> list[str]:
    """Every source that is or was configured, or landed anything."""
    return list(connection.scalars(select(tables.source.c.source).order_by(tables.source.c.source)))


def snapshots(connection: Connection, *, source: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest rows of ``mart.snapshot``."""
    return [dict(row) for row in connection.execute(_SNAPSHOTS, {"source": source, "limit": limit}).mappings()]


def slots(connection: Connection, *, source: str | None, is_missed_only: bool, limit: int) -> list[dict[str, Any]]:
    """The newest rows of ``mart.slot``."""
    asked = {"source": source, "is_missed_only": is_missed_only, "limit": limit}
    return [dict(row) for row in connection.execute(_SLOTS, asked).mappings()]


def kinds_of_sources(connection: Connection) -> dict[str, str]:
    """The kind of every source that ever landed anything, by name."""
    # A source that is only configured has a row, too.
    has_landed = tables.source.c.source.in_(select(tables.raw_snapshot.c.source))
    rows = connection.execute(select(tables.source).where(has_landed).order_by("source"))
    return {row.source: row.kind for row in rows}
