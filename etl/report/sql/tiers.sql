-- One row per price in force from a prompt size on, beside the price of the tier below it.
WITH tier AS (
    SELECT p.*,
           lag(p.tier_start) OVER same AS lower_start, lag(p.unit_price) OVER same AS lower_unit_price,
           lag(p.currency) OVER same AS lower_currency
      FROM mart.price_current p
     WHERE (p.tier_start > 0 OR p.tier_end IS NOT NULL)
       AND p.source = ANY (:sources)
       AND (:has_all_models OR (p.source, p.model_id) IN (SELECT * FROM unnest(CAST(:owners AS text[]), CAST(:models AS text[]))))
    WINDOW same AS (PARTITION BY p.source, p.model_id, p.provider, p.region, p.plan, p.meter ORDER BY p.tier_start)
)
SELECT t.source, t.model_id, t.provider, t.region, t.plan, t.meter, t.lower_start, t.tier_start, t.currency,
       t.lower_unit_price, t.unit_price, count(*) OVER () AS total
  FROM tier t
 WHERE t.tier_start > 0 AND t.currency = t.lower_currency AND t.unit_price IS DISTINCT FROM t.lower_unit_price
   AND t.unit_price IS NOT NULL AND t.lower_unit_price IS NOT NULL
 ORDER BY t.unit_price / nullif(t.lower_unit_price, 0) DESC NULLS FIRST,
          t.source, t.model_id, t.provider, t.region, t.plan, t.meter, t.tier_start
 LIMIT :most
