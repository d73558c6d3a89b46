-- One row per canonical model, source and provider in force: its cheapest endpoint there; the most offered models first.
SELECT o.canonical_id, o.source, o.provider, o.region, o.model_id, o.currency, o.price_state,
       o.input_usd_per_million, o.output_usd_per_million, o.cache_read_usd_per_million, o.blended_usd_per_million,
       o.is_suspect, rank() OVER same AS rank, first_value(o.blended_usd_per_million) OVER same AS cheapest,
       count(*) OVER (PARTITION BY o.canonical_id) AS hosts, count(*) OVER () AS total
  FROM mart.price_comparison o
 WHERE o.rank IS NOT NULL
   AND o.source = ANY (:sources)
   AND (:has_all_models OR (o.source, o.model_id) IN (SELECT * FROM unnest(CAST(:owners AS text[]), CAST(:models AS text[]))))
WINDOW same AS (PARTITION BY o.canonical_id ORDER BY o.is_suspect, o.blended_usd_per_million)
 ORDER BY hosts DESC, o.canonical_id, rank, o.source, o.provider
 LIMIT :most
