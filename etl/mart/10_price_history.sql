-- One row per version of one price, as believed now.
CREATE VIEW mart.price_history AS
SELECT p.source, s.kind, p.model_id, m.name AS model_name, m.author, p.provider, p.region, p.plan, p.meter,
       p.tier_start,
       (SELECT min(t.tier_start)
          FROM core.price t
         WHERE (t.source, t.model_id, t.provider, t.region, t.plan, t.meter)
             = (p.source, p.model_id, p.provider, p.region, p.plan, p.meter)
           AND t.tier_start > p.tier_start
           AND t.known_to IS NULL
           AND t.valid_from <= p.valid_from AND (t.valid_to IS NULL OR t.valid_to > p.valid_from)) AS tier_end,
       p.currency, p.price_state, p.unit_price,
       trim_scale(p.unit_price * rate.usd) AS unit_price_usd,
       CASE WHEN p.meter LIKE '%\_token' THEN trim_scale(p.unit_price * rate.usd * 1000000) END AS usd_per_million,
       p.valid_from, p.valid_to, p.known_from
  FROM core.price p
  JOIN core.source s ON s.source = p.source
  LEFT JOIN core.model m
         ON m.source = p.source AND m.model_id = p.model_id AND m.known_to IS NULL
        AND m.valid_from <= p.valid_from AND (m.valid_to IS NULL OR m.valid_to > p.valid_from)
  LEFT JOIN LATERAL (SELECT r.usd FROM core.fx_rate r
                      WHERE r.currency = p.currency AND r.valid_from <= p.valid_from
                      ORDER BY r.valid_from DESC LIMIT 1) rate ON true
 WHERE p.known_to IS NULL;

COMMENT ON VIEW mart.price_history IS
    'One row per version of one price, as believed now; model_name, author, tier_end and the rate are those at valid_from.';
