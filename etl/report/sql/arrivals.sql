-- One row per model that came, went or returned in the window, the latest first.
SELECT c.source, c.model_id, c.change, c.changed_at, c.not_before, v.name, v.author, v.released_at,
       count(*) OVER () AS total
  FROM mart.catalog_change c
  LEFT JOIN LATERAL (SELECT m.name, m.author, m.released_at
                       FROM mart.model_history m
                      WHERE m.source = c.source AND m.model_id = c.model_id AND m.valid_from <= c.changed_at
                      ORDER BY m.valid_from DESC LIMIT 1) v ON true
 WHERE c.entity = 'model' AND c.attribute IS NULL AND c.changed_at >= :since
   AND c.source = ANY (:sources)
   AND (:has_all_models OR (c.source, c.model_id) IN (SELECT * FROM unnest(CAST(:owners AS text[]), CAST(:models AS text[]))))
 ORDER BY c.changed_at DESC, c.change, c.source, c.model_id
 LIMIT :most
