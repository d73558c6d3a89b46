-- One row per assertion or retraction of a change, in the order in which they became known.
CREATE VIEW mart.change_feed AS
WITH usual AS MATERIALIZED (
    SELECT r.meter, r.currency, r.low, r.high FROM mart.meter_range r
)
SELECT e.position, e.event, e.counterpart, e.known_at, e.entity, e.source, e.model_id, e.provider, e.region, e.plan,
       e.meter, e.tier_start, e.currency, e.old_currency, e.change, e.cause, e.old_state, e.new_state, e.old_unit_price,
       e.new_unit_price, e.ratio, e.attribute, e.old_value, e.new_value, e.changed_at, e.not_before, e.is_economic,
       e.is_reversal,
       -- Looked up row by row: who does not ask for it, or for few rows, does not pay for joining all.
       CASE WHEN e.entity = 'price' THEN (
            SELECT NOT coalesce(s.is_accepted, false)
                   AND (coalesce(core.suspicion_left(s.reasons, s.unit_price, s.last_unit_price, s.others_unit_price,
                                                     usual.low, usual.high) <> '{}', false)
                        OR coalesce(e.new_unit_price NOT BETWEEN usual.low AND usual.high, false)
                           AND e.new_state = 'priced')
              FROM (SELECT) one
              LEFT JOIN usual ON usual.meter = e.meter AND usual.currency = e.currency
              LEFT JOIN core.suspicion s
                     ON (s.source, s.model_id, s.provider, s.region, s.plan, s.meter, s.tier_start, s.valid_from,
                         s.unit_price)
                      = (e.source, e.model_id, e.provider, e.region, e.plan, e.meter, e.tier_start, e.changed_at,
                         e.new_unit_price)) END AS is_suspect
  FROM (
    SELECT c.asserted AS position, 'assertion' AS event, c.retracted AS counterpart, c.known_from AS known_at,
           'price' AS entity,
           c.source, c.model_id, c.provider, c.region, c.plan, c.meter, c.tier_start, c.currency, c.old_currency, c.change,
           c.cause,
           c.old_state, c.new_state, c.old_unit_price, c.new_unit_price, c.ratio,
           NULL::text AS attribute, NULL::text AS old_value, NULL::text AS new_value,
           c.changed_at, c.not_before, c.is_economic, c.is_reversal
      FROM core.price_change c
    UNION ALL
    SELECT c.retracted, 'retraction', c.asserted, c.known_to, 'price',
           c.source, c.model_id, c.provider, c.region, c.plan, c.meter, c.tier_start, c.currency, c.old_currency, c.change,
           c.cause,
           c.old_state, c.new_state, c.old_unit_price, c.new_unit_price, c.ratio,
           NULL, NULL, NULL, c.changed_at, c.not_before, c.is_economic, c.is_reversal
      FROM core.price_change c
     WHERE c.retracted IS NOT NULL
    UNION ALL
    SELECT c.asserted, 'assertion', c.retracted, c.known_from, c.entity,
           c.source, c.model_id, c.provider, c.region, NULL, NULL, NULL, NULL, NULL, c.change, NULL,
           NULL, NULL, NULL, NULL, NULL,
           c.attribute, c.old_value, c.new_value, c.changed_at, c.not_before, NULL, NULL
      FROM core.catalog_change c
    UNION ALL
    SELECT c.retracted, 'retraction', c.asserted, c.known_to, c.entity,
           c.source, c.model_id, c.provider, c.region, NULL, NULL, NULL, NULL, NULL, c.change, NULL,
           NULL, NULL, NULL, NULL, NULL,
           c.attribute, c.old_value, c.new_value, c.changed_at, c.not_before, NULL, NULL
      FROM core.catalog_change c
     WHERE c.retracted IS NOT NULL) e;

COMMENT ON VIEW mart.change_feed IS
    'One row per assertion or retraction of a change of a price, model or endpoint, in the order of position: whoever '
    'has read up to one position and asks for those beyond it misses nothing and gets nothing twice. A correction is a '
    'retraction with an assertion; a change that was asserted and retracted never held. NOTIFY catalog_change tells of each load.';
