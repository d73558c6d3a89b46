-- One row per change of one price, as believed now; the first snapshot of a source makes no changes.
CREATE VIEW mart.price_change AS
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
     WHERE p.known_to IS NULL
    WINDOW k AS (PARTITION BY p.source, p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start
                 ORDER BY p.valid_from)
), step AS (
    -- A version that begins: a change of the one that ended at that moment, or an addition.
    SELECT v.source, v.model_id, v.provider, v.region, v.plan, v.meter, v.tier_start, v.currency,
           before.currency AS old_currency, before.price_state AS old_state, v.price_state AS new_state,
           before.unit_price AS old_unit_price, v.unit_price AS new_unit_price, v.valid_from AS changed_at,
           coalesce(v.before_valid_to = v.valid_from AND v.second_valid_to = v.before_valid_from
               AND (v.second_currency, v.second_state, v.second_unit_price)
                   IS NOT DISTINCT FROM (v.currency, v.price_state, v.unit_price), false) AS is_reversal
      FROM version v
      LEFT JOIN LATERAL (SELECT v.before_currency AS currency, v.before_state AS price_state,
                                v.before_unit_price AS unit_price
                          WHERE v.before_valid_to = v.valid_from) before ON true
    UNION ALL
    -- A version that ends with nothing after it.
    SELECT v.source, v.model_id, v.provider, v.region, v.plan, v.meter, v.tier_start, v.currency,
           v.currency, v.price_state, NULL, v.unit_price, NULL, v.valid_to, false
      FROM version v
     WHERE v.valid_to IS NOT NULL AND v.next_valid_from IS DISTINCT FROM v.valid_to
)
SELECT c.source, c.model_id, c.provider, c.region, c.plan, c.meter, c.tier_start, c.currency,
       kind.change,
       CASE WHEN kind.change NOT IN ('added', 'removed') THEN 'price'
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
       CASE kind.change WHEN 'added' THEN c.new_state <> 'free'
                        WHEN 'removed' THEN c.old_state <> 'free' ELSE true END AS is_economic,
       c.is_reversal,
       coalesce(c.old_currency = c.currency AND c.old_unit_price > 0 AND c.new_unit_price > 0
           AND (c.new_unit_price >= 10 * c.old_unit_price OR c.old_unit_price >= 10 * c.new_unit_price),
           false) AS is_suspect
  FROM step c
 CROSS JOIN LATERAL (
    SELECT CASE WHEN c.old_state IS NULL THEN 'added'
                WHEN c.new_state IS NULL THEN 'removed'
                WHEN c.old_currency <> c.currency THEN 'restated'
                WHEN (c.old_state = 'dynamic') <> (c.new_state = 'dynamic') THEN 'restated'
                WHEN c.new_unit_price > c.old_unit_price THEN 'increased'
                ELSE 'decreased' END AS change) kind
 -- What a price came with was not there just before (the clock ticks in microseconds); what it went with is not there then.
 CROSS JOIN LATERAL (
    SELECT c.changed_at - CASE kind.change WHEN 'added' THEN interval '1 microsecond' ELSE interval '0' END AS at) elsewhere
 CROSS JOIN LATERAL (
    SELECT coalesce(
        (SELECT u.last_seen_at FROM core.unseen u
          WHERE (u.source, u.model_id, u.provider, u.region, u.plan, u.meter, u.tier_start)
              = (c.source, c.model_id, c.provider, c.region, c.plan, c.meter, c.tier_start)
            AND u.known_to IS NULL AND u.valid_to = c.changed_at AND c.old_state IS NOT NULL),
        (SELECT max(n.observed_at) FROM core.snapshot n
          WHERE n.source = c.source AND n.status IN ('loaded', 'unchanged') AND n.observed_at < c.changed_at
            AND (c.old_state IS NOT NULL
                 OR n.is_complete AND NOT EXISTS (SELECT FROM core.quarantine x WHERE x.snapshot_id = n.snapshot_id))),
        (SELECT max(n.observed_at) FROM core.snapshot n
          WHERE n.source = c.source AND n.status IN ('loaded', 'unchanged')
            AND n.observed_at < c.changed_at)) AS not_before) seen
 WHERE seen.not_before IS NOT NULL;

COMMENT ON VIEW mart.price_change IS
    'One row per change of one price, as believed now. The first snapshot of a source makes no changes.';
