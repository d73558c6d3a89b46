-- One row per model of the sources in scope that is called so: by its own id, by its canonical one, or by that without its maker.
SELECT l.source, l.model_id
  FROM mart.model_link l
  LEFT JOIN mart.canonical_model c ON c.canonical_id = l.canonical_id
 WHERE l.source = ANY (:sources)
   AND (l.model_id ILIKE :pattern OR l.canonical_id ILIKE :pattern OR c.name ILIKE :pattern)
 ORDER BY l.source, l.model_id
