-- One row per price that looked like a mistake and that a person found right.
CREATE VIEW mart.accepted_price AS
SELECT a.source, a.model_id, a.provider, a.region, a.plan, a.meter, a.tier_start, a.currency, a.unit_price, a.valid_from,
       a.reasons, a.known_from AS accepted_at, a.accepted_by, a.why, a.known_to AS withdrawn_at, a.withdrawn_by,
       left(md5(concat_ws(E'\n', a.source, a.model_id, a.provider, a.region, a.plan, a.meter, a.tier_start, a.currency,
                          trim_scale(a.unit_price))), 8) AS suspect_id,
       a.acceptance_id
  FROM core.acceptance a;

COMMENT ON VIEW mart.accepted_price IS
    'One row per price that looked like a mistake and that a person accepted: from accepted_at on (until withdrawn_at) it '
    'is no suspect. It holds for this price as long as it lasts, not for another one later.';
