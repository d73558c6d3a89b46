-- One row per version of one price, as believed now.
CREATE VIEW mart.price_history AS
SELECT p.source, s.kind, p.model_id, m.name AS model_name, m.author, p.provider, p.region, p.plan, p.meter,
       p.tier_start,
       -- Few prices have tiers: only these are asked for their next one.
       CASE WHEN tiered.source IS NOT NULL THEN
           (SELECT min(t.tier_start)
              FROM core.price t
             WHERE (t.source, t.model_id, t.provider, t.region, t.plan, t.meter)
                 = (p.source, p.model_id, p.provider, p.region, p.plan, p.meter)
               AND t.tier_start > p.tier_start
               AND t.known_to IS NULL
               AND t.valid_from <= p.valid_from AND (t.valid_to IS NULL OR t.valid_to > p.valid_from)) END AS tier_end,
       p.currency, p.price_state, p.unit_price,
       trim_scale(p.unit_price * rate.usd) AS unit_price_usd,
       CASE WHEN p.meter LIKE '%\_token' THEN trim_scale(p.unit_price * rate.usd * 1000000) END AS usd_per_million,
       p.valid_from, p.valid_to, p.known_from,
       CASE WHEN p.meter LIKE '%\_token' THEN (p.unit_price * rate.usd * 1000000)::double precision END
           AS usd_per_million_double
  FROM core.price p
  JOIN core.source s ON s.source = p.source
  LEFT JOIN (SELECT DISTINCT t.source, t.model_id, t.provider, t.region, t.plan, t.meter
               FROM core.price t
              WHERE t.tier_start > 0 AND t.known_to IS NULL) tiered
         ON (tiered.source, tiered.model_id, tiered.provider, tiered.region, tiered.plan, tiered.meter)
          = (p.source, p.model_id, p.provider, p.region, p.plan, p.meter)
  -- Of versions that never overlap, the last that had begun is the only one that can have held.
  LEFT JOIN LATERAL (SELECT v.name, v.author, v.valid_to
                       FROM core.model v
                      WHERE v.source = p.source AND v.model_id = p.model_id AND v.known_to IS NULL
                        AND v.valid_from <= p.valid_from
                      ORDER BY v.valid_from DESC LIMIT 1) m ON m.valid_to IS NULL OR m.valid_to > p.valid_from
  LEFT JOIN (SELECT r.currency, r.usd, r.valid_from,
                    lead(r.valid_from) OVER (PARTITION BY r.currency ORDER BY r.valid_from) AS valid_to
               FROM core.fx_rate r) rate
         ON rate.currency = p.currency
        AND rate.valid_from <= p.valid_from AND (rate.valid_to IS NULL OR rate.valid_to > p.valid_from)
 WHERE p.known_to IS NULL;

COMMENT ON VIEW mart.price_history IS
    'One row per version of one price, as believed now; model_name, author, tier_end and the rate are those at valid_from.';
