"""How each source is, for machines that ask often: monitoring and ``etl doctor``."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, text

_SOURCES = text(
    """
    SELECT h.source, h.status, h.last_attempt_at, h.last_complete_at, h.last_change_at, h.max_age_seconds,
           h.consecutive_failures, h.held_snapshots, h.quarantined_records, h.unmapped_fields,
           (SELECT count(*) FROM core.snapshot c
             WHERE c.source = h.source AND c.status = 'failed' AND c.attempts > 0) AS set_aside_snapshots,
           now() - h.last_complete_at AS age, slot.missed_slots, slot.last_slot_at
      FROM mart.source_health h
     CROSS JOIN LATERAL (
         SELECT count(*) FILTER (WHERE m.status = 'missed') AS missed_slots, max(m.due_at) AS last_slot_at
           FROM mart.slot m
          WHERE m.source = h.source AND m.due_at > now() - interval '1 day') slot
     WHERE h.enabled OR h.last_attempt_at IS NOT NULL
     ORDER BY h.source
    """
)

_SEEN = text(
    """
    SELECT max(started_at) FILTER (WHERE caller = 'schedule') AS scheduled_at, max(started_at) AS run_at
      FROM (SELECT c.caller, (SELECT max(r.started_at) FROM core.run r
                               WHERE r.source = s.source AND r.caller = c.caller) AS started_at
              FROM core.source s CROSS JOIN (VALUES ('schedule'), ('run')) c (caller)) last
    """
)


class Seen(NamedTuple):
    """When the ledger last saw a run begin, by the daemon and by anybody; null when never."""

    scheduled_at: datetime | None
    run_at: datetime | None


def sources(engine: Engine) -> list[dict[str, Any]]:
    """One row per source that is enabled or was ever attempted; ``age`` is that of its last complete snapshot.

    ``missed_slots`` and ``last_slot_at`` are those of the last day. Raises ``DBAPIError``.
    """
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(_SOURCES).mappings()]


def seen(connection: Connection) -> Seen:
    """When the ledger last saw anybody at work."""
    return Seen(*connection.execute(_SEEN).one())
