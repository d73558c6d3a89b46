"""Lists the records that could not be read: where they stand, why, and what they are."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

_RECORDS = text(
    """
    SELECT q.source, q.snapshot_id, s.observed_at, q.page, q.pointer, q.reason, q.count, q.record
      FROM core.quarantine q
      JOIN core.snapshot s ON s.snapshot_id = q.snapshot_id
     WHERE (CAST(:sources AS text[]) IS NULL OR q.source = ANY(:sources))
       AND (CAST(:snapshot_id AS bigint) IS NULL OR q.snapshot_id = :snapshot_id)
       AND (NOT :is_latest OR q.snapshot_id = (SELECT n.snapshot_id FROM core.snapshot n
                                                WHERE n.source = q.source AND n.status IN ('loaded', 'unchanged')
                                                ORDER BY n.observed_at DESC LIMIT 1))
     -- The eleventh record comes after the third, and what counts the rest after all of them.
     ORDER BY q.source, s.observed_at DESC, q.count, q.page, length(q.pointer), q.pointer, q.reason
     LIMIT :limit
    """
)


def records(
    connection: Connection, *, sources: Sequence[str], snapshot_id: int | None, is_latest: bool, limit: int
) -> list[dict[str, Any]]:
    """Return at most ``limit`` records of these sources (none: all), each with the snapshot it stands in.

    ``is_latest``: only those of each source's last snapshot that counts. ``count`` is 1, or of the row that stands for
    all records beyond the limit of what is kept, how many these are.
    """
    asked = {"sources": list(sources) or None, "snapshot_id": snapshot_id, "is_latest": is_latest, "limit": limit}
    return [dict(row) for row in connection.execute(_RECORDS, asked).mappings()]
