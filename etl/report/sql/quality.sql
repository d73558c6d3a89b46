-- One row per source and problem that its data have now.
SELECT q.source, q.problem, q.count, q.example, q.observed_at
  FROM mart.data_quality q
 WHERE q.source = ANY (:sources)
 ORDER BY q.source, q.problem
