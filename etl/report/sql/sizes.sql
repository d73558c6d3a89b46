-- One row per source and complete snapshot of the window that lists another number of models than the one before it.
SELECT s.source, s.observed_at, s.models
  FROM (SELECT n.source, n.observed_at, n.models,
               lag(n.models) OVER (PARTITION BY n.source ORDER BY n.observed_at) AS before
          FROM mart.snapshot n
         WHERE n.status IN ('loaded', 'unchanged') AND n.is_complete AND n.observed_at >= :since
           AND n.source = ANY (:sources)) s
 WHERE s.models IS DISTINCT FROM s.before
 ORDER BY s.source, s.observed_at
