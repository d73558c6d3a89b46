-- All prices in force
SELECT * FROM mart.price_current;

-- Prices in force of one model, everywhere
SELECT * FROM mart.price_current WHERE model_id LIKE '%gpt-4o';

-- Prices in force of one model of one source
SELECT * FROM mart.price_current WHERE source = 'demo_bifrost' AND model_id = 'openai/gpt-4o';

-- Cheapest input token of every model
SELECT regexp_replace(model_id, '^.*/', '') AS model, min(usd_per_million), count(*)
  FROM mart.price_current WHERE meter = 'input_token' AND tier_start = 0 AND usd_per_million > 0 GROUP BY model;

-- Newest prices in force
SELECT * FROM mart.price_current ORDER BY valid_from DESC LIMIT 20;

-- History of one model of one source
SELECT * FROM mart.price_history WHERE source = 'demo_bifrost' AND model_id = 'openai/gpt-4o' ORDER BY meter, valid_from;

-- History of one model, everywhere
SELECT * FROM mart.price_history WHERE model_id LIKE '%/gpt-4o' OR model_id = 'gpt-4o';

-- Versions that began in one month
SELECT * FROM mart.price_history WHERE valid_from >= '2025-06-01' AND valid_from < '2025-07-01';

-- All versions of all prices
SELECT * FROM mart.price_history;

-- All prices a year ago, as believed now
SELECT * FROM mart.price_as_of('2024-12-31 12:00Z');

-- All prices now, by the clock
SELECT * FROM mart.price_as_of(now());

-- All prices a year ago, as believed then
SELECT * FROM mart.price_as_of('2024-12-31 12:00Z', '2025-01-01Z');

-- Price of one model on the day of the invoice
SELECT * FROM mart.price_as_of('2025-03-31 12:00Z') WHERE source = 'demo_bifrost' AND model_id = 'openai/gpt-4o';

-- All models now
SELECT * FROM mart.model_current;

-- All models a year ago
SELECT * FROM mart.model_as_of('2024-12-31 12:00Z');

-- History of one model's attributes
SELECT * FROM mart.model_history WHERE source = 'demo_bifrost' AND model_id = 'openai/gpt-4o' ORDER BY valid_from;

-- All endpoints now
SELECT * FROM mart.endpoint_current;

-- All endpoints a year ago
SELECT * FROM mart.endpoint_as_of('2024-12-31 12:00Z');

-- Newest snapshots of one source
SELECT * FROM mart.snapshot WHERE source = 'demo_bifrost' ORDER BY observed_at DESC LIMIT 20;

-- Newest snapshots of all sources
SELECT * FROM mart.snapshot ORDER BY observed_at DESC, snapshot_id DESC LIMIT 20;

-- Snapshots of one source in one month
SELECT * FROM mart.snapshot WHERE source = 'demo_bifrost' AND observed_at >= '2025-06-01' AND observed_at < '2025-07-01';

-- Last complete snapshot of every source
SELECT source, max(observed_at) FROM mart.observation WHERE is_complete GROUP BY source;

-- Changes of the last seven days
SELECT * FROM mart.price_change WHERE changed_at >= '2025-12-23' ORDER BY changed_at DESC;

-- Changes of one model
SELECT * FROM mart.price_change WHERE model_id = 'openai/gpt-4o' ORDER BY changed_at;

-- Biggest cuts of a year
SELECT * FROM mart.price_change WHERE change = 'decreased' AND changed_at >= '2025-01-01' ORDER BY ratio LIMIT 20;

-- Changes by month and kind
SELECT date_trunc('month', changed_at) AS month, change, count(*) FROM mart.price_change GROUP BY 1, 2;

-- Models that came or went in a quarter
SELECT * FROM mart.catalog_change
 WHERE entity = 'model' AND change IN ('came', 'went') AND changed_at >= '2025-07-01' AND changed_at < '2025-10-01';

-- Every price on one day
SELECT * FROM mart.price_daily WHERE day = '2025-06-01';

-- One model's prices, day by day, over two years
SELECT * FROM mart.price_daily WHERE source = 'demo_bifrost' AND model_id = 'openai/gpt-4o';

-- One model's input token at every gateway, day by day, over two years
SELECT * FROM mart.price_daily WHERE model_id IN ('gpt-4o', 'openai/gpt-4o') AND meter = 'input_token';

-- Cheapest input token of one model on every day of a year
SELECT day, min(usd_per_million) FROM mart.price_daily
 WHERE model_id LIKE '%gpt-4o' AND meter = 'input_token' AND tier_start = 0 AND day >= '2025-01-01' GROUP BY day;

-- Median input token of one source in one month
SELECT day, percentile_cont(0.5) WITHIN GROUP (ORDER BY usd_per_million) FROM mart.price_daily
 WHERE source = 'demo_phaseo' AND meter = 'input_token' AND day BETWEEN '2025-06-01' AND '2025-06-30' GROUP BY day;

-- The price index of all sources, whole
SELECT * FROM mart.price_index;

-- The price index of everything together, by month
SELECT date_trunc('month', day) AS month, round(avg(index), 2) FROM mart.price_index WHERE source = '*' GROUP BY month;
