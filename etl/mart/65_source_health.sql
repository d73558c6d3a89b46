-- One row per source: whether it is pulled, how fresh it is, what fails, and what of it was set aside.
CREATE VIEW mart.source_health AS
SELECT s.source, s.kind, s.enabled,
       CASE WHEN NOT s.enabled THEN 'disabled'
            WHEN attempt.snapshot_id IS NULL THEN 'never'
            WHEN attempt.status = 'failed' THEN 'failing'
            WHEN whole.observed_at IS NULL OR whole.observed_at < now() - s.max_age THEN 'stale'
            ELSE 'fresh' END AS status,
       attempt.observed_at AS last_attempt_at,
       whole.observed_at AS last_complete_at,
       change.observed_at AS last_change_at,
       s.max_age,
       failure.consecutive_failures,
       (SELECT count(*) FROM core.snapshot h WHERE h.source = s.source AND h.status = 'held') AS held_snapshots,
       (SELECT count(*) FROM core.quarantine q WHERE q.snapshot_id = counted.snapshot_id) AS quarantined_records,
       (SELECT count(*) FROM core.unmapped_field u WHERE u.snapshot_id = counted.snapshot_id) AS unmapped_fields,
       CASE WHEN attempt.status = 'failed' THEN attempt.reason END AS last_error
  FROM core.source s
  LEFT JOIN LATERAL (
    SELECT r.snapshot_id, r.observed_at, c.status, c.reason
      FROM raw.snapshot r JOIN core.snapshot c ON c.snapshot_id = r.snapshot_id
     WHERE r.source = s.source AND r.origin = 'run'
     ORDER BY r.observed_at DESC, r.snapshot_id DESC LIMIT 1) attempt ON true
  LEFT JOIN LATERAL (
    SELECT r.snapshot_id, r.observed_at
      FROM raw.snapshot r JOIN core.snapshot c ON c.snapshot_id = r.snapshot_id
     WHERE r.source = s.source AND r.origin = 'run' AND c.status <> 'failed'
     ORDER BY r.observed_at DESC, r.snapshot_id DESC LIMIT 1) success ON true
  LEFT JOIN LATERAL (
    SELECT r.observed_at
      FROM raw.snapshot r JOIN core.snapshot c ON c.snapshot_id = r.snapshot_id
     WHERE r.source = s.source AND r.origin = 'run' AND c.status IN ('loaded', 'unchanged') AND c.is_complete
     ORDER BY r.observed_at DESC LIMIT 1) whole ON true
  LEFT JOIN LATERAL (
    SELECT c.observed_at
      FROM core.snapshot c
     WHERE c.source = s.source AND c.status IN ('loaded', 'unchanged') AND (c.opened > 0 OR c.closed > 0)
     ORDER BY c.observed_at DESC LIMIT 1) change ON true
  LEFT JOIN LATERAL (
    SELECT c.snapshot_id
      FROM core.snapshot c
     WHERE c.source = s.source AND c.status IN ('loaded', 'unchanged')
     ORDER BY c.observed_at DESC LIMIT 1) counted ON true
 -- Every live attempt after the last that did not fail did.
 CROSS JOIN LATERAL (
    SELECT count(*) AS consecutive_failures
      FROM raw.snapshot r
     WHERE attempt.status = 'failed' AND r.source = s.source AND r.origin = 'run'
       AND r.observed_at >= coalesce(success.observed_at, '-infinity')
       AND (r.observed_at, r.snapshot_id)
           > (coalesce(success.observed_at, '-infinity'), coalesce(success.snapshot_id, 0))) failure;

COMMENT ON VIEW mart.source_health IS
    'One row per source: whether it is pulled, how fresh it is, what fails, and what of it was set aside. '
    'Attempts are live ones: saved snapshots that are loaded later make no source fresh.';
