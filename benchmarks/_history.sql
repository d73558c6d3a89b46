-- Two years of five invented gateways, seen every hour: 10,000 prices in force. The same at every run, for a dice is a hash.
CREATE SCHEMA bench;

CREATE FUNCTION bench.dice(what text, sides integer) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN abs(hashtextextended(what, 0) % sides)::integer;

CREATE FUNCTION bench.moment(hour integer) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN timestamptz '2024-01-01 00:05:07Z' + hour * interval '1 hour';

-- No source answers on one day in 97: nothing begins or ends there.
CREATE FUNCTION bench.seen(hour integer) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hour + CASE WHEN hour / 24 % 97 = 5 THEN 24 ELSE 0 END;

CREATE TABLE bench.source (source text, kind text, models integer, slashed boolean, providers integer, meters text[]);
INSERT INTO bench.source VALUES
    ('demo_helicone_registry', 'helicone_registry', 350, false, 3,
     '{input_token,output_token,cache_read_token,cache_write_5m_token}'),
    ('demo_helicone_gateway', 'helicone_gateway', 200, false, 1, '{}'),
    ('demo_bifrost', 'bifrost', 550, true, 1,
     '{input_token,output_token,cache_read_token,cache_write_token,input_image,web_search}'),
    ('demo_majestix', 'majestix', 150, false, 1, '{input_token,output_token}'),
    ('demo_phaseo', 'phaseo', 250, true, 3, '{input_token,output_token,cache_read_token}');

-- Names as they look: twenty families, each as it stands and in dated releases.
CREATE TABLE bench.name AS
SELECT n, split_part(family, '/', 1) AS vendor,
       split_part(family, '/', 2)
           || CASE WHEN n < 20 THEN '' ELSE to_char(date '2023-03-01' + n / 20 * 30, '-YYYY-MM-DD') END AS name
  FROM generate_series(0, 599) n
 CROSS JOIN LATERAL (SELECT ('{openai/gpt-4o,openai/gpt-4o-mini,openai/gpt-4.1,openai/o3,anthropic/claude-sonnet-4,'
           'anthropic/claude-3.5-haiku,anthropic/claude-opus-4.1,google/gemini-2.5-pro,google/gemini-2.5-flash,'
           'deepseek/deepseek-chat,deepseek/deepseek-r1,meta-llama/llama-3.3-70b-instruct,meta-llama/llama-4-maverick,'
           'mistralai/mistral-large,mistralai/mixtral-8x22b,qwen/qwen3-235b-a22b,qwen/qwen-2.5-72b-instruct,'
           'x-ai/grok-4,cohere/command-r-plus,moonshotai/kimi-k2}'::text[])[n % 20 + 1] AS family) f;

-- Four in ten models are there from the first hour; one in sixteen is gone by the end.
CREATE TABLE bench.model AS
SELECT s.source, CASE WHEN s.slashed THEN vendor || '/' || name ELSE name END AS model_id, vendor, name, born,
       CASE WHEN bench.dice(s.source || name || 'gone', 16) = 0
            THEN bench.seen(born + 48 + bench.dice(s.source || name || 'end', 17400 - born)) END AS gone
  FROM bench.source s
  JOIN bench.name ON n < s.models
 CROSS JOIN LATERAL (SELECT CASE WHEN bench.dice(s.source || name || 'first', 10) < 4 THEN 0
           ELSE bench.seen(bench.dice(s.source || name || 'born', 16000)) END AS born) b;

CREATE TABLE bench.endpoint AS
SELECT m.source, m.model_id, p.provider, CASE p.provider WHEN 'bedrock' THEN 'us-east-1' ELSE '*' END AS region,
       m.born, m.gone
  FROM bench.model m
  JOIN bench.source s ON s.source = m.source
 CROSS JOIN generate_series(0, s.providers - 1) number
 CROSS JOIN LATERAL (SELECT CASE number WHEN 0 THEN m.vendor
           ELSE ('{azure,bedrock,vertex,groq,together,nebius,novita}'::text[])
                [(number * 3 + bench.dice(m.name, 7)) % 7 + 1] END AS provider) p;

-- What has a price: now and then a second tier, a plan or a meter that came later. The first 10,000 stay in force.
CREATE TABLE bench.key AS
SELECT k.*, row_number() OVER (ORDER BY gone IS NOT NULL, bench.dice(key, 1000000), key) AS number
  FROM (
    SELECT e.source, e.model_id, e.provider, e.region, plan, meter, tier_start, e.gone,
           concat_ws(' ', e.source, e.model_id, e.provider, plan, meter, tier_start) AS key,
           CASE WHEN e.provider = 'nebius' AND e.source = 'demo_phaseo' THEN 'EUR'
                WHEN e.source = 'demo_majestix' THEN 'CREDIT' ELSE 'USD' END AS currency,
           CASE WHEN plan = 'standard' AND tier_start = 0 AND bench.dice(e.source || e.model_id || meter, 20) > 0
                THEN e.born ELSE bench.seen(e.born + bench.dice(e.model_id || 'late', 1000)) END AS born
      FROM bench.endpoint e
      JOIN bench.source s ON s.source = e.source
     CROSS JOIN unnest(s.meters) meter
     CROSS JOIN unnest(CASE WHEN e.source = 'demo_helicone_registry' AND meter IN ('input_token', 'output_token')
                                 AND bench.dice(e.model_id, 5) = 0 THEN '{0,200000}'::bigint[] ELSE '{0}' END) tier_start
     CROSS JOIN unnest(CASE WHEN e.source = 'demo_phaseo' AND bench.dice(e.model_id, 3) = 0
                            THEN '{standard,batch}'::text[] ELSE '{standard}' END) plan) k
 WHERE gone IS NULL OR born < gone;
UPDATE bench.key SET gone = bench.seen(greatest(born + 48, 17000 - bench.dice(key || 'gone', 900)))
 WHERE gone IS NULL AND number > 10000;

-- Whoever changes a price of a model usually changes several at once.
CREATE TABLE bench.event AS
SELECT DISTINCT m.source, m.model_id, hour
  FROM bench.model m
 CROSS JOIN generate_series(1, 3 + bench.dice(m.model_id, 8)) number
 CROSS JOIN LATERAL (SELECT bench.seen(1 + bench.dice(m.source || m.model_id || number, 17400)) AS hour) h;

CREATE TABLE bench.price AS
WITH version AS (
    SELECT k.key, b.hour, b.d, row_number() OVER w AS number, lead(b.hour) OVER w AS next,
           CASE WHEN lag(b.d) OVER w < 120 THEN - lag(b.step) OVER w ELSE b.step END AS step
      FROM bench.key k
     CROSS JOIN LATERAL (
        SELECT hour, d, CASE WHEN d < 20 THEN 10 ELSE ('{-3,-2,-1,-1,1,2}'::integer[])[d % 6 + 1] END AS step
          FROM (SELECT k.born AS hour
                UNION ALL
                SELECT e.hour FROM bench.event e
                 WHERE e.source = k.source AND e.model_id = k.model_id AND e.hour > k.born
                   AND (k.gone IS NULL OR e.hour < k.gone) AND bench.dice(k.key || e.hour, 100) < 70) h
         CROSS JOIN LATERAL (SELECT bench.dice(k.key || hour || 'step', 1000) AS d) c) b
    WINDOW w AS (PARTITION BY k.key ORDER BY b.hour)
), priced AS (
    SELECT v.*, CASE meter WHEN 'input_token' THEN 0 WHEN 'output_token' THEN 6 WHEN 'web_search' THEN 35
                           WHEN 'input_image' THEN 28 ELSE -8 END
                + CASE WHEN tier_start > 0 THEN 3 ELSE 0 END + CASE currency WHEN 'CREDIT' THEN 30 ELSE 0 END
                + CASE plan WHEN 'batch' THEN -3 ELSE 0 END
                + bench.dice(model_id, 18) + bench.dice(provider, 3) + 16
                + sum(v.step) OVER (PARTITION BY v.key ORDER BY v.hour) AS level,
           source, model_id, provider, region, plan, meter, tier_start, currency, gone
      FROM version v JOIN bench.key k ON k.key = v.key
)
SELECT source, model_id, provider, region, plan, meter, tier_start, currency, state.price_state,
       CASE state.price_state WHEN 'free' THEN 0 WHEN 'priced'
            THEN ('{1,1.2,1.5,2,2.5,3,4,5,6,8}'::numeric[])[(level % 10 + 10) % 10 + 1]
                 * ('1e' || floor(level / 10.0)::integer - 8)::numeric END AS unit_price,
       bench.moment(hour) AS valid_from,
       bench.moment(CASE WHEN next IS NULL THEN gone WHEN next - hour > 500 AND d % 33 = 7
                         THEN bench.seen(next - 24 - d % 240) ELSE next END) AS valid_to,
       d % 29 = 3 AND hour > 0 AS is_corrected
  FROM priced
 CROSS JOIN LATERAL (SELECT CASE WHEN number % 4 = 1 AND d % 100 < 6 THEN 'free'
                                 WHEN number % 4 = 3 AND d % 100 < 3 THEN 'dynamic' ELSE 'priced' END AS price_state) state;

INSERT INTO core.source (source, kind, known_at, enabled)
SELECT source, kind, bench.moment(17520), true FROM bench.source;

INSERT INTO core.fx_rate (currency, valid_from, usd, origin)
SELECT 'EUR', date '2024-01-01' + month * interval '1 month', 1.05 + bench.dice('EUR' || month, 120) / 1000.0, 'invented'
  FROM generate_series(0, 23) month;

-- What was corrected was believed otherwise for twenty days.
INSERT INTO core.price (source, model_id, provider, region, plan, meter, tier_start, currency, price_state, unit_price,
                        valid_from, valid_to, known_from, known_to, end_known_from)
SELECT source, model_id, provider, region, plan, meter, tier_start, currency, price_state, unit_price,
       valid_from, valid_to, k.known_from, NULL,
       CASE WHEN valid_to IS NOT NULL THEN greatest(valid_to + interval '2 minutes', k.known_from) END
  FROM bench.price
 CROSS JOIN LATERAL (SELECT valid_from + CASE WHEN is_corrected THEN interval '20 days' ELSE interval '2 minutes' END
                     AS known_from) k
UNION ALL
SELECT source, model_id, provider, region, plan, meter, tier_start, currency, 'priced', coalesce(unit_price, 1) + 1,
       valid_from, e.valid_to, valid_from + interval '2 minutes', valid_from + interval '20 days',
       e.valid_to + interval '2 minutes'
  FROM bench.price p
 CROSS JOIN LATERAL (SELECT CASE WHEN p.valid_to < p.valid_from + interval '20 days' THEN p.valid_to END AS valid_to) e
 WHERE is_corrected;

-- A provider of Bifrost fails for a few hours: its prices are carried on. Some are not back yet.
INSERT INTO core.unseen (source, model_id, provider, region, plan, meter, tier_start, last_seen_at,
                         valid_from, valid_to, known_from, end_known_from)
SELECT source, model_id, provider, region, plan, meter, tier_start, bench.moment(hour - 1), bench.moment(hour),
       e.valid_to, bench.moment(hour), e.valid_to
  FROM core.price
 CROSS JOIN LATERAL (SELECT CASE provider WHEN 'cohere' THEN 17510 ELSE bench.seen(17400 - 40 * bench.dice(provider, 100)) END AS hour) h
 CROSS JOIN LATERAL (SELECT CASE WHEN hour < 17500 THEN bench.moment(bench.seen(hour + 30)) END AS valid_to) e
 WHERE source = 'demo_bifrost' AND known_to IS NULL AND valid_from < bench.moment(hour - 1)
   AND (price.valid_to IS NULL OR price.valid_to > e.valid_to);
