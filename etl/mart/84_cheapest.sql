-- One row per canonical model and meter: the cheapest offer in force, and how far the dearest is from it.
CREATE VIEW mart.cheapest AS
WITH figure AS (
    SELECT o.canonical_id, f.meter, f.usd_per_million, o.source, o.provider, o.region, o.model_id,
           o.suspect_meters && CASE f.meter WHEN 'blended' THEN '{input_token,output_token}' ELSE ARRAY[f.meter] END
               AS is_suspect
      FROM mart.offer o
     CROSS JOIN LATERAL (VALUES ('input_token', o.input_usd_per_million),
                                ('output_token', o.output_usd_per_million),
                                ('cache_read_token', o.cache_read_usd_per_million),
                                ('blended', o.blended_usd_per_million)) f (meter, usd_per_million)
     WHERE o.canonical_id IS NOT NULL AND f.usd_per_million IS NOT NULL
), placed AS (
    SELECT f.*,
           -- What looks like a mistake is cheapest, or dearest, only where there is nothing else.
           row_number() OVER (same ORDER BY f.is_suspect, f.usd_per_million, f.source COLLATE "C", f.provider COLLATE "C",
                              f.model_id COLLATE "C", f.region COLLATE "C") AS place,
           coalesce(max(f.usd_per_million) FILTER (WHERE NOT f.is_suspect) OVER same,
                    max(f.usd_per_million) OVER same) AS dearest_usd_per_million,
           count(*) OVER same AS offers,
           dense_rank() OVER (same ORDER BY f.source) + dense_rank() OVER (same ORDER BY f.source DESC) - 1 AS sources
      FROM figure f
    WINDOW same AS (PARTITION BY f.canonical_id, f.meter)
)
SELECT canonical_id, meter, source, provider, region, model_id, usd_per_million, dearest_usd_per_million, sources, offers,
       is_suspect, usd_per_million::double precision AS usd_per_million_double,
       dearest_usd_per_million::double precision AS dearest_usd_per_million_double
  FROM placed
 WHERE place = 1;

COMMENT ON VIEW mart.cheapest IS
    'One row per canonical model and meter (input_token, output_token, cache_read_token, or blended): the cheapest offer in force; what looks like a mistake is it only where there is nothing else. A free offer costs 0; dynamic and unpriced ones do not compete.';
