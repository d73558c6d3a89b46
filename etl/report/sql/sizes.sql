-- One row per source and complete snapshot that lists another number of models than the one before it; the last of those
-- before the window stands at its beginning.
SELECT s.source, greatest(s.observed_at, CAST(:since AS timestamptz)) AS observed_at, s.models
  FROM (SELECT n.source, n.observed_at, n.models,
               lag(n.models) OVER same AS before, lead(n.observed_at) OVER same AS next_at
          FROM mart.snapshot n
         WHERE n.status IN ('loaded', 'unchanged') AND n.is_complete AND n.source = ANY (:sources)
        WINDOW same AS (PARTITION BY n.source ORDER BY n.observed_at)) s
 WHERE s.observed_at >= :since AND s.models IS DISTINCT FROM s.before
    OR s.observed_at < :since AND s.next_at >= :since
 ORDER BY s.source, s.observed_at
