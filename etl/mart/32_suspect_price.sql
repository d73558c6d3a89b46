-- One row per price in force that looks like a mistake of its source, with the reasons.
CREATE VIEW mart.suspect_price AS
SELECT p.source, p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start, p.currency, p.unit_price,
       p.valid_from, found.reasons
  FROM core.price p
  LEFT JOIN core.price_change c
         ON (c.source, c.model_id, c.provider, c.region, c.plan, c.meter, c.tier_start, c.changed_at)
          = (p.source, p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start, p.valid_from)
        AND c.known_to IS NULL AND c.suspicion <> '{}'
  LEFT JOIN mart.meter_range usual ON usual.meter = p.meter AND usual.currency = p.currency
  LEFT JOIN core.price input
         ON (input.source, input.model_id, input.provider, input.region, input.plan, input.tier_start)
          = (p.source, p.model_id, p.provider, p.region, p.plan, p.tier_start)
        AND input.meter = CASE WHEN p.meter = 'cache_read_implicit_token' THEN 'input_token'
                               WHEN p.meter LIKE 'cache\_read\_%' THEN replace(p.meter, 'cache_read_', 'input_') END
        AND input.currency = p.currency AND input.unit_price < p.unit_price
        AND input.valid_to IS NULL AND input.known_to IS NULL
  LEFT JOIN core.snapshot n
         ON p.price_state = 'free' AND n.source = p.source AND n.observed_at = p.valid_from
        AND n.status IN ('loaded', 'unchanged') AND n.decimals <= 6
 CROSS JOIN LATERAL (
    SELECT array_agg(DISTINCT reason ORDER BY reason) AS reasons
      FROM unnest(coalesce(c.suspicion, '{}') || ARRAY[
               CASE WHEN input.unit_price IS NOT NULL THEN 'cache_dearer_than_input' END,
               CASE WHEN n.snapshot_id IS NOT NULL THEN 'truncated' END,
               CASE WHEN p.price_state = 'priced' AND p.unit_price NOT BETWEEN usual.low AND usual.high
                    THEN 'out_of_range' END]) AS reason
     WHERE reason IS NOT NULL) found
 WHERE p.valid_to IS NULL AND p.known_to IS NULL AND found.reasons IS NOT NULL;

COMMENT ON VIEW mart.suspect_price IS
    'One row per price in force that looks like a mistake of its source, with the reasons. It is shown as published: '
    'a suspicion is a label, never a correction.';
