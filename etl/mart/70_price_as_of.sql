-- The rows of price_current as they held at one moment, as believed at another.
CREATE FUNCTION mart.price_as_of(valid_at timestamptz, known_at timestamptz DEFAULT NULL)
RETURNS TABLE (source text, kind text, model_id text, model_name text, author text, provider text, region text,
               plan text, meter text, tier_start bigint, tier_end bigint, currency text, price_state text,
               unit_price numeric, unit_price_usd numeric, usd_per_million numeric, valid_from timestamptz,
               last_seen_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH price AS (
        SELECT p.* FROM core.price p
         WHERE p.valid_from <= $1 AND p.known_from <= coalesce($2, 'infinity')
           AND (p.known_to IS NULL OR p.known_to > coalesce($2, 'infinity'))
           AND (p.valid_to IS NULL OR p.valid_to > $1 OR p.end_known_from > coalesce($2, 'infinity'))
    )
    SELECT p.source, s.kind, p.model_id, m.name, m.author, p.provider, p.region, p.plan, p.meter, p.tier_start,
           lead(p.tier_start) OVER (PARTITION BY p.source, p.model_id, p.provider, p.region, p.plan, p.meter
                                    ORDER BY p.tier_start),
           p.currency, p.price_state, p.unit_price,
           trim_scale(p.unit_price * rate.usd),
           CASE WHEN p.meter LIKE '%\_token' THEN trim_scale(p.unit_price * rate.usd * 1000000) END,
           p.valid_from, coalesce(u.last_seen_at, latest.observed_at)
      FROM price p
      JOIN core.source s ON s.source = p.source
      LEFT JOIN core.model m
             ON m.source = p.source AND m.model_id = p.model_id
            AND m.valid_from <= $1 AND m.known_from <= coalesce($2, 'infinity')
            AND (m.known_to IS NULL OR m.known_to > coalesce($2, 'infinity'))
            AND (m.valid_to IS NULL OR m.valid_to > $1 OR m.end_known_from > coalesce($2, 'infinity'))
      LEFT JOIN core.unseen u
             ON (u.source, u.model_id, u.provider, u.region, u.plan, u.meter, u.tier_start)
              = (p.source, p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start)
            AND u.valid_from <= $1 AND u.known_from <= coalesce($2, 'infinity')
            AND (u.known_to IS NULL OR u.known_to > coalesce($2, 'infinity'))
            AND (u.valid_to IS NULL OR u.valid_to > $1 OR u.end_known_from > coalesce($2, 'infinity'))
      LEFT JOIN (SELECT c.source, max(c.observed_at) AS observed_at FROM core.snapshot c
                  WHERE c.status IN ('loaded', 'unchanged') AND c.observed_at <= $1
                    AND c.known_at <= coalesce($2, 'infinity')
                  GROUP BY c.source) latest ON latest.source = p.source
      LEFT JOIN LATERAL (SELECT r.usd FROM core.fx_rate r
                          WHERE r.currency = p.currency AND r.valid_from <= $1
                          ORDER BY r.valid_from DESC LIMIT 1) rate ON true;
END;

COMMENT ON FUNCTION mart.price_as_of IS
    'The rows of price_current as they held at valid_at (UTC), as believed at known_at (null: now), at the rate of valid_at.';
