-- One row per source and moment of the window at which models came, went or returned, with how many.
SELECT c.source, c.changed_at,
       count(*) FILTER (WHERE c.change IN ('came', 'returned')) AS came,
       count(*) FILTER (WHERE c.change = 'went') AS went
  FROM mart.catalog_change c
 WHERE c.entity = 'model' AND c.attribute IS NULL AND c.changed_at >= :since
   AND c.source = ANY (:sources)
   AND (:has_all_models OR (c.source, c.model_id) IN (SELECT * FROM unnest(CAST(:owners AS text[]), CAST(:models AS text[]))))
 GROUP BY c.source, c.changed_at
 ORDER BY c.source, c.changed_at
