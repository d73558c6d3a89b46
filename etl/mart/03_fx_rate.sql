-- One row per currency and moment from which its rate holds.
CREATE VIEW mart.fx_rate AS
SELECT currency, valid_from, usd, origin
  FROM core.fx_rate;

COMMENT ON VIEW mart.fx_rate IS
    'One row per currency and moment from which its rate holds. Rates are configuration with an origin, not facts of a catalog.';
