-- One row per version of a price that looks like a mistake by its history or beside other offers, or that was accepted.
CREATE VIEW mart.price_suspicion AS
SELECT s.source, s.model_id, s.provider, s.region, s.plan, s.meter, s.tier_start, s.currency, s.unit_price, s.valid_from,
       core.suspicion_left(s.reasons, s.unit_price, s.last_unit_price, s.others_unit_price, usual.low, usual.high)
           AS reasons,
       s.last_unit_price, s.others_unit_price, s.is_accepted
  FROM core.suspicion s
  LEFT JOIN mart.meter_range usual ON usual.meter = s.meter AND usual.currency = s.currency;

COMMENT ON VIEW mart.price_suspicion IS
    'One row per version of a price, in force or former, that looks like a mistake by its own history or beside other '
    'offers, and per version that a person accepted (reasons can be empty then). Beyond mart.meter_range: see price_change.';
