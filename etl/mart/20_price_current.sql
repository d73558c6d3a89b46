-- One row per price in force.
CREATE VIEW mart.price_current AS
SELECT p.source, s.kind, p.model_id, m.name AS model_name, m.author, p.provider, p.region, p.plan, p.meter,
       p.tier_start,
       -- Few prices have tiers: only these are asked for their next one.
       CASE WHEN tiered.source IS NOT NULL THEN
           (SELECT min(t.tier_start)
              FROM mart.price_in_force t
             WHERE (t.source, t.model_id, t.provider, t.region, t.plan, t.meter)
                 = (p.source, p.model_id, p.provider, p.region, p.plan, p.meter)
               AND t.tier_start > p.tier_start) END AS tier_end,
       p.currency, p.price_state, p.unit_price,
       trim_scale(p.unit_price * rate.usd) AS unit_price_usd,
       CASE WHEN p.meter LIKE '%\_token' THEN trim_scale(p.unit_price * rate.usd * 1000000) END AS usd_per_million,
       p.valid_from,
       coalesce(u.last_seen_at, latest.observed_at) AS last_seen_at,
       CASE WHEN p.meter LIKE '%\_token' THEN (p.unit_price * rate.usd * 1000000)::double precision END
           AS usd_per_million_double
  FROM core.source s
 CROSS JOIN LATERAL (SELECT c.observed_at FROM core.snapshot c
                      WHERE c.source = s.source AND c.status IN ('loaded', 'unchanged') AND c.observed_at <= now()
                      ORDER BY c.observed_at DESC LIMIT 1) latest
  JOIN mart.price_in_force p ON p.source = s.source
  LEFT JOIN (SELECT DISTINCT t.source, t.model_id, t.provider, t.region, t.plan, t.meter
               FROM mart.price_in_force t
              WHERE t.tier_start > 0) tiered
         ON (tiered.source, tiered.model_id, tiered.provider, tiered.region, tiered.plan, tiered.meter)
          = (p.source, p.model_id, p.provider, p.region, p.plan, p.meter)
  LEFT JOIN mart.model_current m ON m.source = p.source AND m.model_id = p.model_id
  LEFT JOIN core.unseen u
         ON (u.source, u.model_id, u.provider, u.region, u.plan, u.meter, u.tier_start)
          = (p.source, p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start)
        AND u.known_to IS NULL AND u.valid_from <= now() AND (u.valid_to IS NULL OR u.valid_to > now())
  LEFT JOIN (SELECT DISTINCT ON (r.currency) r.currency, r.usd
               FROM core.fx_rate r
              WHERE r.valid_from <= now()
              ORDER BY r.currency, r.valid_from DESC) rate ON rate.currency = p.currency;

COMMENT ON VIEW mart.price_current IS 'One row per price in force, as believed now, at today''s rate.';
