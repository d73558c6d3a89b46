-- One row per currency and moment from which its rate holds.
-- What always held has no beginning: not every program can read an infinite time.
CREATE VIEW mart.fx_rate AS
SELECT currency, nullif(valid_from, '-infinity') AS valid_from, usd, origin
  FROM core.fx_rate;

COMMENT ON VIEW mart.fx_rate IS
    'One row per currency and moment from which its rate holds. Rates are configuration with an origin, not facts of a catalog.';
