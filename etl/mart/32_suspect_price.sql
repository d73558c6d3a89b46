-- One row per price in force that looks like a mistake of its source, with the reasons.
CREATE VIEW mart.suspect_price AS
WITH price AS MATERIALIZED (
    SELECT * FROM mart.price_in_force
), suspicion AS (
    -- What the change that brought it gave away.
    SELECT p.version_id, unnest(c.suspicion) AS reason
      FROM core.price_change c
      JOIN price p
        ON (p.source, p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start, p.valid_from)
         = (c.source, c.model_id, c.provider, c.region, c.plan, c.meter, c.tier_start, c.changed_at)
     WHERE c.known_to IS NULL AND c.suspicion <> '{}'
    UNION
    SELECT p.version_id, 'cache_dearer_than_input'
      FROM price p
      JOIN price i
        ON (i.source, i.model_id, i.provider, i.region, i.plan, i.tier_start, i.currency, i.meter)
         = (p.source, p.model_id, p.provider, p.region, p.plan, p.tier_start, p.currency,
            CASE p.meter WHEN 'cache_read_implicit_token' THEN 'input_token'
                         ELSE replace(p.meter, 'cache_read_', 'input_') END)
     WHERE p.meter LIKE 'cache\_read\_%' AND i.unit_price < p.unit_price
    UNION
    SELECT p.version_id, 'truncated'
      FROM price p
      JOIN core.snapshot n ON n.source = p.source AND n.observed_at = p.valid_from
     WHERE p.price_state = 'free' AND p.meter ~ '_(token|token_hour|character|byte)$' AND n.status IN ('loaded', 'unchanged') AND n.decimals <= 6
    UNION
    SELECT p.version_id, 'out_of_range'
      FROM price p
      JOIN mart.meter_range usual ON usual.meter = p.meter AND usual.currency = p.currency
     WHERE p.price_state = 'priced' AND p.unit_price NOT BETWEEN usual.low AND usual.high
)
SELECT p.source, p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start, p.currency, p.unit_price,
       p.valid_from, found.reasons
  FROM (SELECT version_id, array_agg(reason ORDER BY reason) AS reasons FROM suspicion GROUP BY version_id) found
  JOIN core.price p ON p.version_id = found.version_id;

COMMENT ON VIEW mart.suspect_price IS
    'One row per price in force that looks like a mistake of its source, with the reasons. It is shown as published: '
    'a suspicion is a label, never a correction.';
