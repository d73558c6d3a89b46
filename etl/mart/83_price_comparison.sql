-- One row per canonical model, source and provider in force: its cheapest endpoint, ranked among all who offer the model.
CREATE VIEW mart.price_comparison AS
WITH compared AS (
    -- Models that are not linked are compared with nobody: each is an item of its own.
    SELECT o.*, CASE WHEN o.canonical_id IS NULL THEN o.model_id END AS alone
      FROM mart.offer o
), chosen AS (
    SELECT c.*,
           -- What looks like a mistake stands for a provider, and is cheapest, only where there is nothing else.
           row_number() OVER (offers ORDER BY c.blended_usd_per_million IS NULL, c.is_suspect,
                              c.blended_usd_per_million NULLS LAST,
                              c.input_usd_per_million NULLS LAST, c.output_usd_per_million NULLS LAST,
                              c.model_id COLLATE "C", c.region COLLATE "C") AS place,
           count(*) OVER offers AS offers,
           NOT c.is_suspect OR bool_and(c.is_suspect OR c.blended_usd_per_million IS NULL)
                                   OVER (PARTITION BY c.canonical_id) AS is_counted
      FROM compared c
    WINDOW offers AS (PARTITION BY c.canonical_id, c.alone, c.source, c.provider)
)
SELECT c.canonical_id, c.source, c.provider, c.model_id, c.region, c.currency, c.price_state,
       c.input_usd_per_million, c.output_usd_per_million, c.cache_read_usd_per_million, c.cache_write_usd_per_million,
       c.blended_usd_per_million,
       CASE WHEN c.canonical_id IS NOT NULL AND c.blended_usd_per_million IS NOT NULL
            THEN rank() OVER (PARTITION BY c.canonical_id
                              ORDER BY c.blended_usd_per_million IS NULL, c.is_suspect, c.blended_usd_per_million) END
            AS rank,
       CASE WHEN c.canonical_id IS NOT NULL
            THEN trim_scale(round(max(c.blended_usd_per_million) FILTER (WHERE c.is_counted) OVER same
                                  / nullif(min(c.blended_usd_per_million) FILTER (WHERE c.is_counted) OVER same, 0),
                                  6)) END AS spread,
       c.offers, c.is_suspect,
       c.input_usd_per_million_double, c.output_usd_per_million_double, c.cache_read_usd_per_million_double,
       c.cache_write_usd_per_million_double, c.blended_usd_per_million_double
  FROM chosen c
 WHERE c.place = 1
WINDOW same AS (PARTITION BY c.canonical_id);

COMMENT ON VIEW mart.price_comparison IS
    'One row per canonical model, source and provider in force: its cheapest endpoint by the blended figure, ranked among all who offer the model; what looks like a mistake comes after all others. What is not linked stays, unranked, one row per model id, source and provider.';
