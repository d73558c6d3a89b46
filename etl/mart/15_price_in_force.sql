-- One row per price in force: what the source says, and nothing that follows from it.
CREATE VIEW mart.price_in_force AS
SELECT version_id, source, model_id, provider, region, plan, meter, tier_start, currency, price_state, unit_price,
       valid_from
  FROM core.price
 WHERE valid_to IS NULL AND known_to IS NULL AND valid_from <= now()
UNION ALL
-- Only a snapshot that is dated in the future ends anything later than now. Mostly there is none: the subselect is asked
-- once, and the closed versions are then not looked at.
SELECT version_id, source, model_id, provider, region, plan, meter, tier_start, currency, price_state, unit_price,
       valid_from
  FROM core.price v
 WHERE v.valid_to > now() AND v.known_to IS NULL AND v.valid_from <= now()
   AND (SELECT EXISTS (SELECT FROM core.snapshot c
                        WHERE c.observed_at > now() AND c.status IN ('loaded', 'unchanged')));

COMMENT ON VIEW mart.price_in_force IS
    'One row per price in force, as believed now: price_current without names, rates and the last sighting.';
