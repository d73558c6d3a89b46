-- One row per price in force that looks like a mistake of its source, with the reasons; accepted ones are none.
CREATE VIEW mart.suspect_price AS
WITH found AS (
    SELECT p.source, p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start, p.currency, p.unit_price,
           p.valid_from,
           coalesce(core.suspicion_left(s.reasons, s.unit_price, s.last_unit_price, s.others_unit_price,
                                        usual.low, usual.high), '{}') || CASE WHEN p.price_state = 'priced'
                                                  AND p.unit_price NOT BETWEEN usual.low AND usual.high
                                             THEN ARRAY['out_of_range'] ELSE '{}' END AS reasons,
           s.last_unit_price, s.others_unit_price
      FROM mart.price_in_force p
      LEFT JOIN mart.meter_range usual ON usual.meter = p.meter AND usual.currency = p.currency
      LEFT JOIN core.suspicion s
             ON (s.source, s.model_id, s.provider, s.region, s.plan, s.meter, s.tier_start, s.valid_from)
              = (p.source, p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start, p.valid_from)
     WHERE NOT coalesce(s.is_accepted, false)
)
SELECT f.source, f.model_id, f.provider, f.region, f.plan, f.meter, f.tier_start, f.currency, f.unit_price,
       f.valid_from, ARRAY(SELECT reason FROM unnest(f.reasons) reason ORDER BY reason) AS reasons,
       f.last_unit_price, f.others_unit_price,
       -- Of what is accepted, and not of when it was first seen: a late snapshot may move that.
       left(md5(concat_ws(E'\n', f.source, f.model_id, f.provider, f.region, f.plan, f.meter, f.tier_start, f.currency,
                          trim_scale(f.unit_price))), 8) AS suspect_id
  FROM found f
 WHERE f.reasons <> '{}';

COMMENT ON VIEW mart.suspect_price IS
    'One row per price in force that looks like a mistake of its source, with the reasons. It is shown as published: '
    'a suspicion is a label, never a correction. A price that a person accepted is none: see mart.accepted_price.';
