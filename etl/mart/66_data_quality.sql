-- One row per source and problem that its data have now, with the first example in words.
CREATE VIEW mart.data_quality AS
WITH counted AS (
    SELECT s.source, last.snapshot_id, last.observed_at
      FROM core.source s
     CROSS JOIN LATERAL (SELECT c.snapshot_id, c.observed_at FROM core.snapshot c
                          WHERE c.source = s.source AND c.status IN ('loaded', 'unchanged') AND c.observed_at <= now()
                          ORDER BY c.observed_at DESC LIMIT 1) last
), problem AS (
    SELECT n.source, 'quarantined' AS problem, n.snapshot_id, n.observed_at,
           format('page %s, %s: %s', q.page, coalesce(nullif(q.pointer, ''), 'the whole page'), q.reason) AS example,
           -- The eleventh record comes after the third.
           row_number() OVER (PARTITION BY n.source
                              ORDER BY q.count, q.page, length(q.pointer), q.pointer, q.reason) AS number,
           q.count AS weight
      FROM counted n
      JOIN core.quarantine q ON q.snapshot_id = n.snapshot_id
    UNION ALL
    SELECT n.source, 'unmapped', n.snapshot_id, n.observed_at,
           u.field || coalesce(', for example ' || u.example::text, ''),
           row_number() OVER (PARTITION BY n.source ORDER BY u.field), 1
      FROM counted n
      JOIN core.unmapped_field u ON u.snapshot_id = n.snapshot_id
    UNION ALL
    SELECT p.source, 'suspect', NULL, p.valid_from,
           format('%s, %s: %s %s (%s)', p.model_id, p.meter, p.unit_price, p.currency, array_to_string(p.reasons, '; ')),
           row_number() OVER (PARTITION BY p.source
                              ORDER BY p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start), 1
      FROM mart.suspect_price p
    UNION ALL
    SELECT h.source, 'held', h.snapshot_id, h.observed_at, h.reason,
           row_number() OVER (PARTITION BY h.source ORDER BY h.observed_at), 1
      FROM core.snapshot h
     WHERE h.status = 'held'
    UNION ALL
    SELECT a.source, 'set_aside', a.snapshot_id, a.observed_at, format('snapshot %s: %s', a.snapshot_id, a.reason),
           row_number() OVER (PARTITION BY a.source ORDER BY a.observed_at), 1
      FROM core.snapshot a
     WHERE a.status = 'failed' AND a.attempts > 0
)
SELECT p.source, p.problem, sum(p.weight)::bigint AS count,
       min(p.example) FILTER (WHERE p.number = 1) AS example,
       min(p.snapshot_id) FILTER (WHERE p.number = 1) AS snapshot_id,
       min(p.observed_at) FILTER (WHERE p.number = 1) AS observed_at
  FROM problem p
 GROUP BY p.source, p.problem;

COMMENT ON VIEW mart.data_quality IS
    'One row per source and problem that its data have now: records that could not be read, price fields without a meter, prices that look like mistakes, snapshots that are held or set aside. '
    'The first two are those of the last snapshot that counts.';
