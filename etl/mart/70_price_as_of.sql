-- The rows of price_current as they held at one moment, as believed at another.
CREATE FUNCTION mart.price_as_of(valid_at timestamptz, known_at timestamptz DEFAULT NULL)
RETURNS TABLE (source text, kind text, model_id text, model_name text, author text, provider text, region text,
               plan text, meter text, tier_start bigint, tier_end bigint, currency text, price_state text,
               unit_price numeric, unit_price_usd numeric, usd_per_million numeric, valid_from timestamptz,
               last_seen_at timestamptz, usd_per_million_double double precision)
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT p.source, s.kind, p.model_id, m.name, m.author, p.provider, p.region, p.plan, p.meter, p.tier_start,
           CASE WHEN t.starts IS NOT NULL
                THEN (SELECT min(tier.start) FROM unnest(t.starts) tier (start) WHERE tier.start > p.tier_start) END,
           p.currency, p.price_state, p.unit_price,
           trim_scale(p.unit_price * rate.usd),
           CASE WHEN p.meter LIKE '%\_token' THEN trim_scale(p.unit_price * rate.usd * 1000000) END,
           p.valid_from, coalesce(u.last_seen_at, latest.observed_at),
           CASE WHEN p.meter LIKE '%\_token' THEN (p.unit_price * rate.usd * 1000000)::double precision END
      FROM mart.price_version p
      JOIN mart.source s ON s.source = p.source
      LEFT JOIN (SELECT v.source, v.model_id, v.provider, v.region, v.plan, v.meter, array_agg(v.tier_start) AS starts
                   FROM mart.price_version v
                  WHERE v.tier_start > 0
                    AND v.valid_from <= $1 AND v.known_from <= coalesce($2, 'infinity')
                    AND (v.known_to IS NULL OR v.known_to > coalesce($2, 'infinity'))
                    AND (v.valid_to IS NULL OR v.valid_to > $1 OR v.end_known_from > coalesce($2, 'infinity'))
                  GROUP BY v.source, v.model_id, v.provider, v.region, v.plan, v.meter) t
             ON (t.source, t.model_id, t.provider, t.region, t.plan, t.meter)
              = (p.source, p.model_id, p.provider, p.region, p.plan, p.meter)
      LEFT JOIN mart.model_version m
             ON m.source = p.source AND m.model_id = p.model_id
            AND m.valid_from <= $1 AND m.known_from <= coalesce($2, 'infinity')
            AND (m.known_to IS NULL OR m.known_to > coalesce($2, 'infinity'))
            AND (m.valid_to IS NULL OR m.valid_to > $1 OR m.end_known_from > coalesce($2, 'infinity'))
      LEFT JOIN mart.unseen_version u
             ON (u.source, u.model_id, u.provider, u.region, u.plan, u.meter, u.tier_start)
              = (p.source, p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start)
            AND u.valid_from <= $1 AND u.known_from <= coalesce($2, 'infinity')
            AND (u.known_to IS NULL OR u.known_to > coalesce($2, 'infinity'))
            AND (u.valid_to IS NULL OR u.valid_to > $1 OR u.end_known_from > coalesce($2, 'infinity'))
      LEFT JOIN (SELECT each.source, last.observed_at
                   FROM mart.source each
                  CROSS JOIN LATERAL (SELECT o.observed_at FROM mart.observation o
                                       WHERE o.source = each.source AND o.observed_at <= $1
                                         AND o.known_at <= coalesce($2, 'infinity')
                                       ORDER BY o.observed_at DESC LIMIT 1) last) latest ON latest.source = p.source
      LEFT JOIN (SELECT DISTINCT ON (r.currency) r.currency, r.usd
                   FROM mart.fx_rate r
                  WHERE r.valid_from IS NULL OR r.valid_from <= $1
                  ORDER BY r.currency, r.valid_from DESC NULLS LAST) rate ON rate.currency = p.currency
     WHERE p.valid_from <= $1 AND p.known_from <= coalesce($2, 'infinity')
       AND (p.known_to IS NULL OR p.known_to > coalesce($2, 'infinity'))
       AND (p.valid_to IS NULL OR p.valid_to > $1 OR p.end_known_from > coalesce($2, 'infinity'));
END;

COMMENT ON FUNCTION mart.price_as_of IS
    'The rows of price_current as they held at valid_at (UTC), as believed at known_at (null: now), at the rate of valid_at.';
