-- What stands beside the prices: versions of models and endpoints, identity, the log of snapshots with their bytes.
INSERT INTO core.model (source, model_id, name, author, description, context_length, max_output_tokens,
                        input_modalities, output_modalities, supported_parameters, status, extra,
                        valid_from, valid_to, known_from, end_known_from)
SELECT source, model_id, name, vendor, format('Release %s. ', number) || repeat('It answers what it is asked. ', 12),
       8192 * (1 + number % 5), 4096, '{image,text}', '{text}', '{max_tokens,temperature,tools,top_p}', 'active',
       jsonb_build_object('release', number), bench.moment(hour), valid_to, bench.moment(hour), valid_to
  FROM (SELECT m.*, hour, row_number() OVER w AS number,
               bench.moment(CASE WHEN lead(hour) OVER w - hour > 200 AND bench.dice(model_id || hour, 40) = 0
                                 THEN bench.seen(lead(hour) OVER w - 50)
                                 ELSE coalesce(lead(hour) OVER w, gone) END) AS valid_to
          FROM bench.model m
         CROSS JOIN LATERAL (SELECT born AS hour UNION
                             SELECT bench.seen(1 + born + bench.dice(source || model_id || n, 17400 - born))
                               FROM generate_series(1, 14) n) h
         WHERE gone IS NULL OR hour < gone
        WINDOW w AS (PARTITION BY source, model_id ORDER BY hour)) v;

INSERT INTO core.endpoint (source, model_id, provider, region, provider_model_id, context_length, quantization,
                           supported_parameters, extra, valid_from, valid_to, known_from, end_known_from)
SELECT source, model_id, provider, region, model_id, 8192 * number, 'fp8', '{temperature,top_p}',
       jsonb_build_object('number', number), bench.moment(hour), valid_to, bench.moment(hour), valid_to
  FROM (SELECT e.*, hour, row_number() OVER w AS number, bench.moment(coalesce(lead(hour) OVER w, gone)) AS valid_to
          FROM bench.endpoint e
         CROSS JOIN LATERAL (SELECT born AS hour UNION
                             SELECT bench.seen(1 + born + bench.dice(source || model_id || provider || n, 17400 - born))
                               FROM generate_series(1, 2) n) h
         WHERE gone IS NULL OR hour < gone
        WINDOW w AS (PARTITION BY source, model_id, provider, region ORDER BY hour)) v;

INSERT INTO core.provider (source, provider, display_name, extra, valid_from, known_from)
SELECT DISTINCT source, provider, initcap(provider), '{}'::jsonb, bench.moment(0), bench.moment(0) FROM bench.endpoint;

INSERT INTO core.author (source, author, display_name, extra, valid_from, known_from)
SELECT DISTINCT source, vendor, initcap(vendor), '{}'::jsonb, bench.moment(0), bench.moment(0) FROM bench.model;

INSERT INTO core.canonical_model (canonical_id, vendor, name)
SELECT vendor || '/' || name, vendor, name FROM bench.name;
INSERT INTO core.model_link (source, model_id, canonical_id, method, evidence, confidence)
SELECT source, model_id, vendor || '/' || name, 'name', model_id, 1 FROM bench.model;

-- A snapshot every hour: loaded when something began or ended, on a bad day failed, else unchanged.
CREATE TABLE bench.move AS
SELECT source, at, count(*) FILTER (WHERE is_begin)::integer AS opened,
       count(*) FILTER (WHERE NOT is_begin)::integer AS closed
  FROM (SELECT source, valid_from, valid_to FROM core.price WHERE known_to IS NULL
        UNION ALL SELECT source, valid_from, valid_to FROM core.model
        UNION ALL SELECT source, valid_from, valid_to FROM core.endpoint) v
 CROSS JOIN LATERAL (VALUES (valid_from, true), (valid_to, false)) moment (at, is_begin)
 WHERE at IS NOT NULL
 GROUP BY source, at;
CREATE UNIQUE INDEX ON bench.move (source, at);

INSERT INTO raw.content (sha256, size, body)
SELECT sha256(('body ' || n)::bytea), 400000 + n, decode(repeat(md5(n::text), 100), 'hex') FROM generate_series(0, 999) n;

CREATE TABLE bench.snapshot AS
SELECT row_number() OVER (ORDER BY hour, s.source) AS snapshot_id, s.source, s.kind, bench.moment(hour) AS observed_at,
       m.opened, m.closed, sha256(('body ' || (hour / 24 + bench.dice(s.source, 270)) % 1000)::bytea) AS sha256,
       CASE WHEN m.at IS NOT NULL THEN 'loaded'
            WHEN hour / 24 % 97 = 5 OR bench.dice(s.source || hour, 300) = 0 THEN 'failed'
            WHEN bench.dice(s.source || hour, 3000) = 1 THEN 'rejected' ELSE 'unchanged' END AS status,
       m.at IS NULL AND bench.dice(s.source || hour, 100) = 3 AS is_partial
  FROM generate_series(0, 17519) hour
 CROSS JOIN bench.source s
  LEFT JOIN bench.move m ON m.source = s.source AND m.at = bench.moment(hour);

INSERT INTO raw.snapshot (snapshot_id, source, kind, origin, observed_at, landed_at, fingerprint, failure)
OVERRIDING SYSTEM VALUE
SELECT snapshot_id, source, kind, 'run', observed_at, observed_at + interval '20 seconds', sha256,
       CASE status WHEN 'failed' THEN 'status 502' END
  FROM bench.snapshot;

INSERT INTO raw.page (snapshot_id, number, url, status, headers, fetched_at, sha256)
SELECT snapshot_id, 1, 'https://gateway.test/' || source, 200, '{"content-type": "application/json"}', observed_at, sha256
  FROM bench.snapshot WHERE status <> 'failed';

INSERT INTO core.snapshot (snapshot_id, source, observed_at, status, reason, is_complete, models, endpoints, prices,
                           opened, closed, known_at, decimals)
SELECT snapshot_id, source, observed_at, status, CASE WHEN is_partial THEN 'a page is missing' END,
       NOT is_partial, 300, 500, 2000, coalesce(opened, 0), coalesce(closed, 0), observed_at + interval '2 minutes', 12
  FROM bench.snapshot;

INSERT INTO core.quarantine (snapshot_id, source, page, pointer, reason, record)
SELECT snapshot_id, source, 1, '/data/' || snapshot_id % 100, 'the price is no number', '{"prompt": "12x"}'
  FROM bench.snapshot WHERE status = 'loaded' AND snapshot_id % 7 = 0;

INSERT INTO core.unmapped_field (snapshot_id, source, field, count, example)
SELECT snapshot_id, source, 'pricing.discount', 3, '"0"' FROM bench.snapshot WHERE status = 'loaded' AND snapshot_id % 9 = 0;
