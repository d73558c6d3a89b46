-- One row per assertion or retraction of a change, in the order in which they became known.
CREATE VIEW mart.change_feed AS
WITH price AS NOT MATERIALIZED (
    SELECT c.*,
           NOT coalesce(s.is_accepted, false)
               AND (coalesce(core.suspicion_left(s.reasons, s.unit_price, s.last_unit_price, s.others_unit_price,
                                              usual.low, usual.high) <> '{}', false)
                    OR coalesce(c.new_unit_price NOT BETWEEN usual.low AND usual.high, false) AND c.new_state = 'priced')
               AS is_suspect
      FROM core.price_change c
      LEFT JOIN mart.meter_range usual ON usual.meter = c.meter AND usual.currency = c.currency
      LEFT JOIN core.suspicion s
             ON (s.source, s.model_id, s.provider, s.region, s.plan, s.meter, s.tier_start, s.valid_from, s.unit_price)
              = (c.source, c.model_id, c.provider, c.region, c.plan, c.meter, c.tier_start, c.changed_at, c.new_unit_price)
)
SELECT c.asserted AS position, 'assertion' AS event, c.retracted AS counterpart, c.known_from AS known_at,
       'price' AS entity,
       c.source, c.model_id, c.provider, c.region, c.plan, c.meter, c.tier_start, c.currency, c.old_currency, c.change,
       c.cause,
       c.old_state, c.new_state, c.old_unit_price, c.new_unit_price, c.ratio,
       NULL::text AS attribute, NULL::text AS old_value, NULL::text AS new_value,
       c.changed_at, c.not_before, c.is_economic, c.is_reversal, c.is_suspect
  FROM price c
UNION ALL
SELECT c.retracted, 'retraction', c.asserted, c.known_to, 'price',
       c.source, c.model_id, c.provider, c.region, c.plan, c.meter, c.tier_start, c.currency, c.old_currency, c.change,
       c.cause,
       c.old_state, c.new_state, c.old_unit_price, c.new_unit_price, c.ratio,
       NULL, NULL, NULL, c.changed_at, c.not_before, c.is_economic, c.is_reversal, c.is_suspect
  FROM price c
 WHERE c.retracted IS NOT NULL
UNION ALL
SELECT c.asserted, 'assertion', c.retracted, c.known_from, c.entity,
       c.source, c.model_id, c.provider, c.region, NULL, NULL, NULL, NULL, NULL, c.change, NULL,
       NULL, NULL, NULL, NULL, NULL,
       c.attribute, c.old_value, c.new_value, c.changed_at, c.not_before, NULL, NULL, NULL
  FROM core.catalog_change c
UNION ALL
SELECT c.retracted, 'retraction', c.asserted, c.known_to, c.entity,
       c.source, c.model_id, c.provider, c.region, NULL, NULL, NULL, NULL, NULL, c.change, NULL,
       NULL, NULL, NULL, NULL, NULL,
       c.attribute, c.old_value, c.new_value, c.changed_at, c.not_before, NULL, NULL, NULL
  FROM core.catalog_change c
 WHERE c.retracted IS NOT NULL;

COMMENT ON VIEW mart.change_feed IS
    'One row per assertion or retraction of a change of a price, model or endpoint, in the order of position: whoever '
    'has read up to one position and asks for those beyond it misses nothing and gets nothing twice. A correction is a '
    'retraction with an assertion; a change that was asserted and retracted never held. NOTIFY catalog_change tells of each load.';
