-- One row per meter and currency with a rate: between which amounts the prices of all sources usually lie.
CREATE VIEW mart.meter_range AS
WITH rate AS (
    SELECT DISTINCT ON (currency) currency, usd
      FROM core.fx_rate
     WHERE valid_from <= now()
     ORDER BY currency, valid_from DESC
), quartile AS (
    SELECT p.meter, count(*) AS prices,
           percentile_disc(0.25) WITHIN GROUP (ORDER BY p.unit_price * rate.usd) AS lower,
           percentile_disc(0.75) WITHIN GROUP (ORDER BY p.unit_price * rate.usd) AS upper
      FROM mart.price_in_force p
      JOIN rate ON rate.currency = p.currency
     WHERE p.price_state = 'priced'
     GROUP BY p.meter
)
SELECT q.meter, rate.currency, q.prices,
       trim_scale(q.lower / rate.usd) AS lower_quartile, trim_scale(q.upper / rate.usd) AS upper_quartile,
       trim_scale(q.lower / rate.usd / 100) AS low, trim_scale(q.upper / rate.usd * 100) AS high
  FROM quartile q
 CROSS JOIN rate;

COMMENT ON VIEW mart.meter_range IS
    'One row per meter and currency with a rate: between which amounts the prices in force of all sources usually lie. '
    'A price more than a hundred times below the lower quartile or above the upper one is suspect.';
