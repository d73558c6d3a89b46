-- One row per version of one price that was ever believed, on both clocks.
CREATE VIEW mart.price_version AS
SELECT source, model_id, provider, region, plan, meter, tier_start, currency, price_state, unit_price,
       valid_from, valid_to, known_from, known_to, end_known_from
  FROM core.price;

COMMENT ON VIEW mart.price_version IS
    'One row per version of one price that was ever believed, on both clocks: what held, and what we believed.';
