-- One row per change of what someone pays in the window, those that came or went with their model or endpoint left out.
SELECT c.changed_at, c.not_before, c.source, c.model_id, c.provider, c.region, c.plan, c.meter, c.tier_start, c.currency,
       c.change, c.cause, c.old_state, c.new_state, c.old_unit_price, c.new_unit_price, c.ratio,
       c.is_reversal, c.is_suspect, c.is_correction,
       count(*) OVER () AS total,
       count(*) FILTER (WHERE c.change = 'decreased') OVER () AS cuts,
       count(*) FILTER (WHERE c.change = 'increased') OVER () AS rises
  FROM mart.price_change c
 WHERE c.changed_at >= :since AND c.is_economic AND c.cause IN ('price', 'meter')
   AND c.source = ANY (:sources)
   AND (:has_all_models OR (c.source, c.model_id) IN (SELECT * FROM unnest(CAST(:owners AS text[]), CAST(:models AS text[]))))
 -- From a price to free, or back, is more than any factor; what has no factor at all comes last.
 ORDER BY CASE WHEN c.change IN ('increased', 'decreased') THEN 0 ELSE 1 END,
          abs(ln(c.ratio)) DESC NULLS FIRST, c.changed_at DESC,
          c.source, c.model_id, c.provider, c.region, c.plan, c.meter, c.tier_start
 LIMIT :most
