-- One row per change of one price, as believed now; the first snapshot of a source makes no changes.
CREATE VIEW mart.price_change AS
SELECT c.source, c.model_id, c.provider, c.region, c.plan, c.meter, c.tier_start, c.currency, c.change, c.cause,
       c.old_state, c.new_state, c.old_unit_price, c.new_unit_price, c.ratio, c.changed_at, c.not_before,
       c.is_economic, c.is_reversal,
       NOT coalesce(s.is_accepted, false)
           AND (coalesce(core.suspicion_left(s.reasons, s.unit_price, s.last_unit_price, s.others_unit_price,
                                              usual.low, usual.high) <> '{}', false)
                OR coalesce(c.new_unit_price NOT BETWEEN usual.low AND usual.high, false) AND c.new_state = 'priced')
           AS is_suspect,
       c.new_state IS NOT NULL
           AND (former.source IS NOT NULL
                OR coalesce(c.old_unit_price NOT BETWEEN usual.low AND usual.high, false) AND c.old_state = 'priced')
           AS is_correction
  FROM core.price_change c
  LEFT JOIN mart.meter_range usual ON usual.meter = c.meter AND usual.currency = c.currency
  LEFT JOIN core.suspicion s
         ON (s.source, s.model_id, s.provider, s.region, s.plan, s.meter, s.tier_start, s.valid_from)
          = (c.source, c.model_id, c.provider, c.region, c.plan, c.meter, c.tier_start, c.changed_at)
        AND c.new_state IS NOT NULL
  -- A price that leaves a suspect one is no cut and no rise, whatever its ratio.
  LEFT JOIN core.suspicion former
         ON (former.source, former.model_id, former.provider, former.region, former.plan, former.meter, former.tier_start,
             former.valid_to)
          = (c.source, c.model_id, c.provider, c.region, c.plan, c.meter, c.tier_start, c.changed_at)
        AND NOT former.is_accepted AND former.reasons <> '{}'
 WHERE c.known_to IS NULL;

COMMENT ON VIEW mart.price_change IS
    'One row per change of one price, as believed now. The first snapshot of a source makes no changes. '
    'Only a change of value is a change: neither another order, nor another spelling of a number, nor a moved description.';
