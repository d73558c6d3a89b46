-- The changes that the versions of the invented history make, without a late sighting and with the plainest cause.
INSERT INTO core.price_change
WITH version AS (
    SELECT *, lag(valid_to) OVER k AS before_valid_to, lag(price_state) OVER k AS old_state,
           lag(unit_price) OVER k AS old_unit_price, lead(valid_from) OVER k AS next_valid_from,
           coalesce(lag(valid_to) OVER k = valid_from AND lag(valid_to, 2) OVER k = lag(valid_from) OVER k
               AND lag(price_state, 2) OVER k = price_state
               AND lag(unit_price, 2) OVER k IS NOT DISTINCT FROM unit_price, false) AS is_reversal
      FROM core.price WHERE known_to IS NULL
    WINDOW k AS (PARTITION BY source, model_id, provider, region, plan, meter, tier_start ORDER BY valid_from)
), step AS (
    SELECT source, model_id, provider, region, plan, meter, tier_start, currency,
           CASE WHEN before_valid_to = valid_from THEN old_state END AS old_state, price_state AS new_state,
           CASE WHEN before_valid_to = valid_from THEN old_unit_price END AS old_unit_price,
           unit_price AS new_unit_price, valid_from AS changed_at, is_reversal, known_from
      FROM version WHERE valid_from > bench.moment(0)
    UNION ALL
    SELECT source, model_id, provider, region, plan, meter, tier_start, currency, price_state, NULL, unit_price, NULL,
           valid_to, false, end_known_from
      FROM version WHERE valid_to IS NOT NULL AND next_valid_from IS DISTINCT FROM valid_to
)
SELECT row_number() OVER (ORDER BY s.known_from, s.changed_at, s.model_id, s.provider, s.meter, s.tier_start), NULL,
       s.source, s.model_id, s.provider, s.region, s.plan, s.meter, s.tier_start, s.currency, c.change,
       CASE WHEN c.change NOT IN ('added', 'removed') THEN 'price'
            WHEN EXISTS (SELECT FROM core.model m WHERE m.source = s.source AND m.model_id = s.model_id AND m.known_to IS NULL
                            AND s.changed_at IN (m.valid_from, m.valid_to)) THEN 'model' ELSE 'meter' END,
       s.old_state, s.new_state, s.old_unit_price, s.new_unit_price,
       CASE WHEN s.old_unit_price > 0 AND s.new_unit_price > 0 THEN trim_scale(s.new_unit_price / s.old_unit_price) END,
       s.changed_at, s.changed_at - interval '1 hour', true, s.is_reversal,
       CASE WHEN s.new_unit_price >= 10 * s.old_unit_price OR s.old_unit_price >= 10 * s.new_unit_price
            THEN '{step}'::text[] ELSE '{}' END,
       s.known_from, NULL
  FROM step s
 CROSS JOIN LATERAL (SELECT CASE WHEN s.old_state IS NULL THEN 'added' WHEN s.new_state IS NULL THEN 'removed'
                                 WHEN (s.old_state = 'dynamic') <> (s.new_state = 'dynamic') THEN 'restated'
                                 WHEN s.new_unit_price > s.old_unit_price THEN 'increased' ELSE 'decreased' END
                     AS change) c;

INSERT INTO core.catalog_change
WITH version AS (
    SELECT *, lag(valid_to) OVER k AS before_valid_to, lag(context_length) OVER k AS before_context_length,
           lead(valid_from) OVER k AS next_valid_from
      FROM core.model WHERE known_to IS NULL
    WINDOW k AS (PARTITION BY source, model_id ORDER BY valid_from)
), step AS (
    SELECT source, model_id, CASE WHEN before_valid_to IS NULL THEN 'came' WHEN before_valid_to = valid_from THEN 'changed'
                                  ELSE 'returned' END AS change,
           before_context_length AS old_value, context_length AS new_value, valid_from AS changed_at, known_from
      FROM version WHERE valid_from > bench.moment(0)
    UNION ALL
    SELECT source, model_id, 'went', NULL, NULL, valid_to, end_known_from
      FROM version WHERE valid_to IS NOT NULL AND next_valid_from IS DISTINCT FROM valid_to
)
SELECT 1000000 + row_number() OVER (ORDER BY known_from, source, model_id, changed_at), NULL, source, model_id, NULL, NULL,
       'model', change, CASE change WHEN 'changed' THEN 'context_length' END,
       CASE change WHEN 'changed' THEN old_value END, CASE change WHEN 'changed' THEN new_value END,
       changed_at, changed_at - interval '1 hour', known_from, NULL
  FROM step;

SELECT setval('core.feed_position', 2000000);
