-- One row per listed model whose source says that it is or will be deprecated or retired, the next to go first.
SELECT m.source, m.model_id, m.name, m.author, m.status, m.deprecated_at, m.retires_at, count(*) OVER () AS total
  FROM mart.model_current m
 WHERE (m.retires_at IS NOT NULL OR m.deprecated_at IS NOT NULL OR m.status ILIKE '%deprecat%' OR m.status ILIKE '%retir%')
   AND m.source = ANY (:sources)
   AND (:has_all_models OR (m.source, m.model_id) IN (SELECT * FROM unnest(CAST(:owners AS text[]), CAST(:models AS text[]))))
 ORDER BY coalesce(m.retires_at, m.deprecated_at) NULLS LAST, m.source, m.model_id
 LIMIT :most
