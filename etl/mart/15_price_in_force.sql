-- One row per price in force: what the source says, and nothing that follows from it.
CREATE VIEW mart.price_in_force AS
SELECT version_id, source, model_id, provider, region, plan, meter, tier_start, currency, price_state, unit_price,
       valid_from
  FROM core.price
 -- What a snapshot dated in the future says holds only then, and until then what it ends.
 WHERE known_to IS NULL AND valid_from <= now() AND (valid_to IS NULL OR valid_to > now());

COMMENT ON VIEW mart.price_in_force IS
    'One row per price in force, as believed now: price_current without names, rates and the last sighting.';
