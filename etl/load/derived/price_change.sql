-- The changes of prices from :since on that the believed versions of a source make; of :models only, or of all where
-- that is null.
WITH version AS (
    SELECT p.*,
           lag(p.valid_to) OVER k AS before_valid_to,
           lag(p.currency) OVER k AS before_currency,
           lag(p.price_state) OVER k AS before_state,
           lag(p.unit_price) OVER k AS before_unit_price,
           lag(p.valid_from) OVER k AS before_valid_from,
           lag(p.valid_to, 2) OVER k AS second_valid_to,
           lag(p.currency, 2) OVER k AS second_currency,
           lag(p.price_state, 2) OVER k AS second_state,
           lag(p.unit_price, 2) OVER k AS second_unit_price,
           lead(p.valid_from) OVER k AS next_valid_from
      FROM core.price p
     WHERE p.source = :source AND p.known_to IS NULL
       AND (CAST(:models AS text[]) IS NULL OR p.model_id = ANY (CAST(:models AS text[])))
    WINDOW k AS (PARTITION BY p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start ORDER BY p.valid_from)
), respelling AS MATERIALIZED (
    -- Models of which one provider ever stood under two spellings: few, so that only their changes are looked at twice.
    SELECT DISTINCT spelled.model_id
      FROM (SELECT lower(e.model_id) AS model_id
              FROM (SELECT DISTINCT model_id, provider FROM core.endpoint
                     WHERE source = :source AND known_to IS NULL
                       AND (CAST(:models AS text[]) IS NULL OR model_id = ANY (CAST(:models AS text[])))) e
             GROUP BY lower(e.model_id), core.provider_key(e.provider)
            HAVING count(*) > 1) spelled
), step AS (
    -- A version that begins: a change of the one that ended at that moment, or an addition, perhaps after a gap.
    SELECT v.source, v.model_id, v.provider, v.region, v.plan, v.meter, v.tier_start, v.currency,
           CASE WHEN is_next THEN v.before_currency END AS old_currency,
           CASE WHEN is_next THEN v.before_state END AS old_state,
           v.price_state AS new_state,
           CASE WHEN is_next THEN v.before_unit_price END AS old_unit_price,
           v.unit_price AS new_unit_price, v.valid_from AS changed_at,
           is_next AND coalesce(v.second_valid_to = v.before_valid_from, false)
               AND (v.second_currency, v.second_state, v.second_unit_price)
                   IS NOT DISTINCT FROM (v.currency, v.price_state, v.unit_price)
               AND NOT noise.is_noise AS is_reversal,
           noise.is_noise,
           CASE WHEN v.before_currency = v.currency THEN v.before_unit_price END AS last_unit_price
      FROM version v
     CROSS JOIN LATERAL (SELECT coalesce(v.before_valid_to = v.valid_from, false) AS is_next) gap
     -- 0.7499999999999999 and 0.75 are one figure, read as a double and as a decimal: nobody changed a price.
     CROSS JOIN LATERAL (
        SELECT is_next AND v.before_currency = v.currency
               AND coalesce(v.before_unit_price > 0 AND v.unit_price > 0
                            AND abs(v.unit_price - v.before_unit_price) < 1e-14 * v.unit_price, false) AS is_noise) noise
     WHERE v.valid_from >= :since
    UNION ALL
    -- A version that ends with nothing after it.
    SELECT v.source, v.model_id, v.provider, v.region, v.plan, v.meter, v.tier_start, v.currency,
           v.currency, v.price_state, NULL, v.unit_price, NULL, v.valid_to, false, false, NULL
      FROM version v
     WHERE v.valid_to >= :since AND v.next_valid_from IS DISTINCT FROM v.valid_to
), named AS (
    SELECT s.*,
           CASE WHEN s.old_state IS NULL THEN 'added'
                WHEN s.new_state IS NULL THEN 'removed'
                WHEN s.old_currency <> s.currency THEN 'restated'
                WHEN (s.old_state = 'dynamic') <> (s.new_state = 'dynamic') THEN 'restated'
                WHEN s.new_unit_price > s.old_unit_price THEN 'increased'
                ELSE 'decreased' END AS change
      FROM step s
)
SELECT c.source, c.model_id, c.provider, c.region, c.plan, c.meter, c.tier_start, c.currency, c.change,
       CASE WHEN c.change NOT IN ('added', 'removed') THEN 'price'
            WHEN twin.is_respelled THEN 'respelled'
            WHEN NOT EXISTS (SELECT FROM core.model m
                              WHERE m.source = c.source AND m.model_id = c.model_id AND m.known_to IS NULL
                                AND m.valid_from <= elsewhere.at AND (m.valid_to IS NULL OR m.valid_to > elsewhere.at))
            THEN 'model'
            WHEN NOT EXISTS (SELECT FROM core.endpoint e
                              WHERE (e.source, e.model_id, e.provider, e.region)
                                  = (c.source, c.model_id, c.provider, c.region) AND e.known_to IS NULL
                                AND e.valid_from <= elsewhere.at AND (e.valid_to IS NULL OR e.valid_to > elsewhere.at))
            THEN 'endpoint'
            WHEN NOT EXISTS (SELECT FROM core.price o
                              WHERE (o.source, o.model_id, o.provider, o.region, o.plan, o.meter)
                                  = (c.source, c.model_id, c.provider, c.region, c.plan, c.meter)
                                AND o.tier_start <> c.tier_start AND o.known_to IS NULL
                                AND o.valid_from <= elsewhere.at AND (o.valid_to IS NULL OR o.valid_to > elsewhere.at))
            THEN 'meter'
            ELSE 'price' END AS cause,
       c.old_state, c.new_state, c.old_unit_price, c.new_unit_price,
       CASE WHEN c.old_currency = c.currency AND c.old_unit_price > 0 AND c.new_unit_price > 0
            THEN trim_scale(c.new_unit_price / c.old_unit_price) END AS ratio,
       c.changed_at, seen.not_before,
       CASE c.change WHEN 'added' THEN c.new_state <> 'free' AND NOT twin.is_respelled
                     WHEN 'removed' THEN c.old_state <> 'free' AND NOT twin.is_respelled
                     ELSE NOT c.is_noise END AS is_economic,
       c.is_reversal, doubt.suspicion, nullif(c.old_currency, c.currency) AS old_currency
  FROM named c
 -- `OpenAI` that goes when `openai` comes, at the same price and at one moment, is one provider with another spelling.
 CROSS JOIN LATERAL (
    SELECT c.change IN ('added', 'removed') AND lower(c.model_id) IN (SELECT model_id FROM respelling) AND EXISTS (
        SELECT FROM core.model m
          JOIN core.price o ON o.source = m.source AND o.model_id = m.model_id AND o.known_to IS NULL
         WHERE m.source = c.source AND lower(m.model_id) = lower(c.model_id) AND m.known_to IS NULL
           AND (o.model_id, o.provider) <> (c.model_id, c.provider)
           AND core.provider_key(o.provider) = core.provider_key(c.provider)
           AND (o.region, o.plan, o.meter, o.tier_start, o.currency)
             = (c.region, c.plan, c.meter, c.tier_start, c.currency)
           AND o.price_state = coalesce(c.new_state, c.old_state)
           AND o.unit_price IS NOT DISTINCT FROM coalesce(c.new_unit_price, c.old_unit_price)
           AND CASE c.change WHEN 'added' THEN o.valid_to ELSE o.valid_from END = c.changed_at
           AND NOT EXISTS (SELECT FROM core.price x
                            WHERE (x.source, x.model_id, x.provider, x.region, x.plan, x.meter, x.tier_start)
                                = (o.source, o.model_id, o.provider, o.region, o.plan, o.meter, o.tier_start)
                              AND x.known_to IS NULL
                              AND CASE c.change WHEN 'added' THEN x.valid_from ELSE x.valid_to END = c.changed_at)
    ) AS is_respelled) twin
 -- What a price came with was not there just before (the clock ticks in microseconds); what it went with is not there then.
 CROSS JOIN LATERAL (
    SELECT c.changed_at - CASE c.change WHEN 'added' THEN interval '1 microsecond' ELSE interval '0' END AS at) elsewhere
 CROSS JOIN LATERAL (
    SELECT coalesce(
        (SELECT u.last_seen_at FROM core.unseen u
          WHERE (u.source, u.model_id, u.provider, u.region, u.plan, u.meter, u.tier_start)
              = (c.source, c.model_id, c.provider, c.region, c.plan, c.meter, c.tier_start)
            AND u.known_to IS NULL AND u.valid_to = c.changed_at AND c.old_state IS NOT NULL),
        (SELECT max(n.observed_at) FROM core.snapshot n
          WHERE n.source = c.source AND n.status IN ('loaded', 'unchanged') AND n.observed_at < c.changed_at
            AND (c.old_state IS NOT NULL
                 OR CASE WHEN n.covered IS NULL THEN n.is_complete ELSE c.provider = ANY (n.covered) END
                    AND NOT EXISTS (SELECT FROM core.quarantine x WHERE x.snapshot_id = n.snapshot_id))),
        (SELECT max(n.observed_at) FROM core.snapshot n
          WHERE n.source = c.source AND n.status IN ('loaded', 'unchanged')
            AND n.observed_at < c.changed_at)) AS not_before) seen
 CROSS JOIN LATERAL (
    SELECT array_remove(ARRAY[
        -- Ten times or more from the last price, also across a gap.
        CASE WHEN c.last_unit_price > 0 AND c.new_unit_price > 0
              AND (c.new_unit_price >= 10 * c.last_unit_price OR c.last_unit_price >= 10 * c.new_unit_price)
             THEN 'step' END,
        -- An exact power of ten away from the last price, or a price that comes so beside what all others ask for it:
        -- at least two, for of two who disagree nobody knows which one slipped.
        CASE WHEN c.new_unit_price > 0 AND (
                  EXISTS (SELECT FROM generate_series(1, 12) n
                           WHERE c.new_unit_price = c.last_unit_price * 10::numeric ^ n
                              OR c.last_unit_price = c.new_unit_price * 10::numeric ^ n)
               OR c.change = 'added' AND c.last_unit_price IS NULL AND slip.is_slip AND NOT cache.is_as_input)
             THEN 'power_of_ten' END,
        CASE WHEN cache.is_dearer AND NOT c.is_noise THEN 'cache_dearer_than_input' END,
        -- Printed with six decimals, a small price reads 0.000000.
        CASE WHEN c.new_state = 'free' AND c.meter ~ '_(token|token_hour|character|byte)$'
              AND EXISTS (SELECT FROM core.snapshot n
                           WHERE n.source = c.source AND n.observed_at = c.changed_at
                             AND n.status IN ('loaded', 'unchanged') AND n.decimals <= 6)
             THEN 'truncated' END], NULL) AS suspicion
      FROM (SELECT count(DISTINCT o.provider) >= 2 AND min(o.unit_price) = max(o.unit_price) AND EXISTS (
                       SELECT FROM generate_series(1, 12) n
                        WHERE c.new_unit_price = min(o.unit_price) * 10::numeric ^ n
                           OR min(o.unit_price) = c.new_unit_price * 10::numeric ^ n) AS is_slip
              FROM core.price o
             WHERE c.change = 'added' AND c.last_unit_price IS NULL AND o.source = c.source
               AND o.model_id = c.model_id AND (o.provider, o.region) <> (c.provider, c.region)
               AND (o.plan, o.meter, o.tier_start, o.currency) = (c.plan, c.meter, c.tier_start, c.currency)
               AND o.price_state = 'priced' AND o.known_to IS NULL
               AND o.valid_from <= c.changed_at AND (o.valid_to IS NULL OR o.valid_to > c.changed_at)) slip
     CROSS JOIN (
           -- Whichever of the two moved, reading from the cache now costs more than sending the tokens anew.
           -- Who gives no discount asks the same for both, ten times what others ask.
           SELECT coalesce(bool_or(CASE WHEN c.meter LIKE 'cache\_read\_%' THEN c.new_unit_price > o.unit_price
                                        ELSE o.unit_price > c.new_unit_price END), false) AS is_dearer,
                  coalesce(bool_or(c.meter LIKE 'cache\_read\_%' AND c.new_unit_price = o.unit_price), false) AS is_as_input
             FROM core.price o
            WHERE c.new_unit_price IS NOT NULL
              AND (c.meter LIKE 'cache\_read\_%' OR c.meter LIKE 'input\_%token' AND c.change = 'decreased')
              AND o.source = c.source AND o.model_id = c.model_id AND (o.provider, o.region) = (c.provider, c.region)
              AND (o.plan, o.tier_start, o.currency) = (c.plan, c.tier_start, c.currency)
              AND o.meter = ANY (CASE WHEN c.meter IN ('cache_read_token', 'cache_read_implicit_token')
                                      THEN ARRAY['input_token']
                                      WHEN c.meter LIKE 'cache\_read\_%'
                                      THEN ARRAY[replace(c.meter, 'cache_read_', 'input_')]
                                      WHEN c.meter = 'input_token'
                                      THEN ARRAY['cache_read_token', 'cache_read_implicit_token']
                                      ELSE ARRAY[replace(c.meter, 'input_', 'cache_read_')] END)
              AND o.known_to IS NULL
              AND o.valid_from <= c.changed_at AND (o.valid_to IS NULL OR o.valid_to > c.changed_at)) cache) doubt
 WHERE seen.not_before IS NOT NULL
