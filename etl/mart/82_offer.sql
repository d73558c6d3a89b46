-- One row per endpoint in force: what its standard plan costs in the base tier, in dollars per million tokens.
CREATE VIEW mart.offer AS
WITH rate AS (
    SELECT DISTINCT ON (currency) currency, usd
      FROM core.fx_rate
     WHERE valid_from <= now()
     ORDER BY currency, valid_from DESC
), figure AS (
    -- A price without a known rate and a dynamic one have no figure; both still have a state.
    SELECT p.source, p.model_id, p.provider, p.region,
           CASE WHEN min(p.currency) = max(p.currency) THEN min(p.currency) END AS currency,
           max(p.price_state) FILTER (WHERE p.meter = 'input_token') AS input_state,
           max(p.price_state) FILTER (WHERE p.meter = 'output_token') AS output_state,
           max(p.unit_price * r.usd) FILTER (WHERE p.meter = 'input_token') * 1000000 AS input,
           max(p.unit_price * r.usd) FILTER (WHERE p.meter = 'output_token') * 1000000 AS output,
           max(p.unit_price * r.usd) FILTER (WHERE p.meter = 'cache_read_token') * 1000000 AS cache_read,
           max(p.unit_price * r.usd) FILTER (WHERE p.meter = 'cache_write_token') * 1000000 AS cache_write,
           max(p.unit_price * r.usd) FILTER (WHERE p.meter = 'cache_write_5m_token') * 1000000 AS cache_write_5m
      FROM mart.price_in_force p
      LEFT JOIN rate r ON r.currency = p.currency
     WHERE p.plan = 'standard' AND p.tier_start = 0
       AND p.meter IN ('input_token', 'output_token', 'cache_read_token', 'cache_write_token', 'cache_write_5m_token')
     GROUP BY p.source, p.model_id, p.provider, p.region
), route AS (
    SELECT e.source, e.model_id, e.provider, e.region
      FROM mart.endpoint_current e
), endpoint AS (
    SELECT source, model_id, provider, region,
           f.currency, f.input_state, f.output_state, f.input, f.output, f.cache_read,
           coalesce(f.cache_write, f.cache_write_5m) AS cache_write
      FROM route FULL JOIN figure f USING (source, model_id, provider, region)
), suspect AS (
    SELECT s.source, s.model_id, s.provider, s.region, array_agg(DISTINCT s.meter ORDER BY s.meter) AS meters
      FROM mart.suspect_price s
     WHERE s.plan = 'standard' AND s.tier_start = 0
       AND s.meter IN ('input_token', 'output_token', 'cache_read_token', 'cache_write_token', 'cache_write_5m_token')
     GROUP BY s.source, s.model_id, s.provider, s.region
)
SELECT l.canonical_id, e.source, e.provider, e.region, e.model_id, e.currency,
       CASE WHEN e.input_state = 'dynamic' OR e.output_state = 'dynamic' THEN 'dynamic'
            WHEN e.input_state IS NULL AND e.output_state IS NULL THEN 'unpriced'
            WHEN coalesce(e.input_state, 'free') = 'free' AND coalesce(e.output_state, 'free') = 'free' THEN 'free'
            ELSE 'priced' END AS price_state,
       trim_scale(e.input) AS input_usd_per_million,
       trim_scale(e.output) AS output_usd_per_million,
       trim_scale(e.cache_read) AS cache_read_usd_per_million,
       trim_scale(e.cache_write) AS cache_write_usd_per_million,
       trim_scale((3 * e.input + e.output) / 4) AS blended_usd_per_million,
       s.source IS NOT NULL AS is_suspect,
       coalesce(s.meters, '{}') AS suspect_meters,
       e.input::double precision AS input_usd_per_million_double,
       e.output::double precision AS output_usd_per_million_double,
       e.cache_read::double precision AS cache_read_usd_per_million_double,
       e.cache_write::double precision AS cache_write_usd_per_million_double,
       ((3 * e.input + e.output) / 4)::double precision AS blended_usd_per_million_double
  FROM endpoint e
  LEFT JOIN core.model_link l ON l.source = e.source AND l.model_id = e.model_id
  LEFT JOIN suspect s
         ON (s.source, s.model_id, s.provider, s.region) = (e.source, e.model_id, e.provider, e.region);

COMMENT ON VIEW mart.offer IS
    'One row per endpoint in force: what its standard plan costs in the base tier, as believed now, at today''s rate.';
