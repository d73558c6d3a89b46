-- One row per version of a price that was in force at any time of the window, as believed now.
SELECT l.canonical_id, p.source, p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start, p.currency,
       p.price_state, p.unit_price, p.unit_price_usd, p.valid_from, p.valid_to
  FROM mart.price_history p
  LEFT JOIN mart.model_link l ON l.source = p.source AND l.model_id = p.model_id
 WHERE (p.valid_to IS NULL OR p.valid_to > :since)
   AND p.source = ANY (:sources)
   AND (:has_all_models OR (p.source, p.model_id) IN (SELECT * FROM unnest(CAST(:owners AS text[]), CAST(:models AS text[]))))
 ORDER BY p.source, p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start, p.valid_from
