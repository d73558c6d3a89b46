-- A note on a price that was billed at a moment at which nobody had looked for longer than the source allows.
CREATE FUNCTION mart.last_seen_note(source text, model_id text, provider text, region text, plan text, meter text,
                                    tier_start bigint, at timestamptz, known_at timestamptz DEFAULT NULL)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT 'last seen ' || to_char(seen.last_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')
      FROM mart.price_version v
      JOIN mart.source s ON s.source = v.source
      LEFT JOIN mart.unseen_version u
             ON (u.source, u.model_id, u.provider, u.region, u.plan, u.meter, u.tier_start)
              = (v.source, v.model_id, v.provider, v.region, v.plan, v.meter, v.tier_start)
            AND u.valid_from <= $8 AND u.known_from <= coalesce($9, 'infinity')
            AND (u.known_to IS NULL OR u.known_to > coalesce($9, 'infinity'))
            AND (u.valid_to IS NULL OR u.valid_to > $8 OR u.end_known_from > coalesce($9, 'infinity'))
     CROSS JOIN LATERAL (
        SELECT coalesce(u.last_seen_at, (SELECT o.observed_at FROM mart.observation o
                                          WHERE o.source = v.source AND o.observed_at <= $8
                                            AND o.known_at <= coalesce($9, 'infinity')
                                          ORDER BY o.observed_at DESC LIMIT 1)) AS last_at) seen
     WHERE (v.source, v.model_id, v.provider, v.region, v.plan, v.meter, v.tier_start) = ($1, $2, $3, $4, $5, $6, $7)
       AND v.valid_from <= $8 AND v.known_from <= coalesce($9, 'infinity')
       AND (v.known_to IS NULL OR v.known_to > coalesce($9, 'infinity'))
       AND (v.valid_to IS NULL OR v.valid_to > $8 OR v.end_known_from > coalesce($9, 'infinity'))
       AND seen.last_at + make_interval(secs => s.max_age_seconds) < $8
       -- A later snapshot that shows the same price confirms it, too.
       AND NOT EXISTS (SELECT FROM mart.observation o
                        WHERE o.source = v.source AND o.observed_at > $8 AND o.known_at <= coalesce($9, 'infinity')
                          AND (u.valid_to IS NULL OR u.valid_to <= o.observed_at)
                          AND (u.source IS NULL OR u.valid_to IS NOT NULL)
                          AND (v.valid_to IS NULL OR v.valid_to > o.observed_at
                               OR v.end_known_from > coalesce($9, 'infinity')));
END;

COMMENT ON FUNCTION mart.last_seen_note IS
    'last seen YYYY-MM-DD, for a price that no snapshot showed within max_age of its source before the moment at (UTC), nor any later one; null where one did. As believed at known_at (null: now).';
