-- One row per price in force that looks like a mistake of its source. A placeholder: replaced on merge.
CREATE VIEW mart.suspect_price AS
SELECT p.source, p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start, p.unit_price, p.currency,
       p.valid_from, NULL::text[] AS reasons
  FROM core.price p
 WHERE false;

COMMENT ON VIEW mart.suspect_price IS
    'One row per price in force that looks like a mistake of its source, with the reasons.';
