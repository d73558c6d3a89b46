-- One row per source: whether it is pulled, how fresh it is, what fails, and what of it was set aside.
CREATE VIEW mart.source_health AS
SELECT s.source, s.kind, s.enabled,
       CASE WHEN NOT s.enabled THEN 'disabled'
            WHEN attempt.observed_at IS NULL AND failure.last_at IS NULL THEN 'never'
            WHEN failure.consecutive_failures > 0 THEN 'failing'
            WHEN whole.observed_at IS NULL OR whole.observed_at < now() - s.max_age THEN 'stale'
            ELSE 'fresh' END AS status,
       greatest(attempt.observed_at, failure.last_at) AS last_attempt_at,
       whole.observed_at AS last_complete_at,
       change.observed_at AS last_change_at,
       round(extract(epoch FROM s.max_age))::bigint AS max_age_seconds,
       failure.consecutive_failures,
       (SELECT count(*) FROM core.snapshot h WHERE h.source = s.source AND h.status = 'held') AS held_snapshots,
       (SELECT coalesce(sum(q.count), 0)::bigint FROM core.quarantine q
         WHERE q.snapshot_id = counted.snapshot_id) AS quarantined_records,
       (SELECT count(*) FROM core.unmapped_field u WHERE u.snapshot_id = counted.snapshot_id) AS unmapped_fields,
       -- What was set aside is named until a person decides: whatever comes after it says nothing of it.
       coalesce(failure.last_error, aside.reason) AS last_error
  FROM core.source s
 -- A clock that is ahead makes nothing fresh and hides no failure: what claims to be later than this is not believed.
 CROSS JOIN LATERAL (SELECT now() + interval '5 minutes' AS latest) clock
  LEFT JOIN LATERAL (
    SELECT r.observed_at
      FROM raw.snapshot r
     WHERE r.source = s.source AND r.origin = 'run' AND r.observed_at <= clock.latest
     ORDER BY r.observed_at DESC LIMIT 1) attempt ON true
 -- Of what is landed and not loaded yet nobody knows yet whether it failed.
  LEFT JOIN LATERAL (
    SELECT r.snapshot_id, r.observed_at
      FROM raw.snapshot r JOIN core.snapshot c ON c.snapshot_id = r.snapshot_id
     WHERE r.source = s.source AND r.origin = 'run' AND r.observed_at <= clock.latest
       AND c.status NOT IN ('failed', 'landed')
     ORDER BY r.observed_at DESC, r.snapshot_id DESC LIMIT 1) success ON true
  LEFT JOIN LATERAL (
    SELECT r.observed_at
      FROM raw.snapshot r JOIN core.snapshot c ON c.snapshot_id = r.snapshot_id
     WHERE r.source = s.source AND r.origin = 'run' AND r.observed_at <= clock.latest
       AND c.status IN ('loaded', 'unchanged') AND c.is_complete
     ORDER BY r.observed_at DESC LIMIT 1) whole ON true
  LEFT JOIN LATERAL (
    SELECT c.observed_at
      FROM core.snapshot c
     WHERE c.source = s.source AND c.status IN ('loaded', 'unchanged') AND (c.opened > 0 OR c.closed > 0)
       AND c.observed_at <= clock.latest
     ORDER BY c.observed_at DESC LIMIT 1) change ON true
  LEFT JOIN LATERAL (
    SELECT c.snapshot_id
      FROM core.snapshot c
     WHERE c.source = s.source AND c.status IN ('loaded', 'unchanged') AND c.observed_at <= clock.latest
     ORDER BY c.observed_at DESC LIMIT 1) counted ON true
  LEFT JOIN LATERAL (
    SELECT format('snapshot %s: %s', c.snapshot_id, c.reason) AS reason
      FROM core.snapshot c
     WHERE c.source = s.source AND c.status = 'failed' AND c.attempts > 0
     ORDER BY c.observed_at DESC LIMIT 1) aside ON true
 -- Every live attempt after the last that did not fail did. What a clock that was ahead dated was attempted when it was
 -- landed: that is dated by the database. A run of the ledger counts by its snapshot if that failed.
 CROSS JOIN LATERAL (
    SELECT count(*) AS consecutive_failures, max(f.at) AS last_at,
           (array_agg(f.error ORDER BY f.at DESC, f.number DESC))[1] AS last_error
      FROM (SELECT least(r.observed_at, r.landed_at) AS at, r.snapshot_id AS number, c.reason AS error
              FROM raw.snapshot r JOIN core.snapshot c ON c.snapshot_id = r.snapshot_id
             WHERE r.source = s.source AND r.origin = 'run' AND c.status = 'failed'
               AND r.observed_at >= coalesce(success.observed_at, '-infinity')
               AND least(r.observed_at, r.landed_at) <= clock.latest
               AND (least(r.observed_at, r.landed_at), r.snapshot_id)
                   > (coalesce(success.observed_at, '-infinity'), coalesce(success.snapshot_id, 0))
            UNION ALL
            SELECT n.started_at, n.run_id, n.error
              FROM core.run n LEFT JOIN core.snapshot c ON c.snapshot_id = n.snapshot_id
             WHERE n.source = s.source AND n.outcome IN ('failed', 'abandoned')
               AND n.started_at BETWEEN coalesce(success.observed_at, '-infinity') AND clock.latest
               AND c.status IS DISTINCT FROM 'failed') f) failure;

COMMENT ON VIEW mart.source_health IS
    'One row per source: whether it is pulled, how fresh it is, what fails, and what of it was set aside. '
    'Attempts are live ones: saved snapshots that are loaded later make no source fresh, nor does a moment that is '
    'still to come. A run that brought nothing home is an attempt that failed.';
