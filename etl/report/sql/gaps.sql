-- One row per source and span of the window without an observation: three times as long as three quarters of the others.
WITH step AS (
    SELECT o.source, o.observed_at AS until,
           lag(o.observed_at) OVER (PARTITION BY o.source ORDER BY o.observed_at) AS since
      FROM mart.observation o
     WHERE o.source = ANY (:sources)
), usual AS (
    SELECT s.source, percentile_disc(0.75) WITHIN GROUP (ORDER BY s.until - s.since) AS length
      FROM step s
     WHERE s.since IS NOT NULL
     GROUP BY s.source
)
SELECT s.source, s.since, s.until
  FROM step s
  JOIN usual u ON u.source = s.source
  JOIN mart.source m ON m.source = s.source
 WHERE s.until > :since AND s.until - s.since > greatest(3 * u.length, make_interval(secs => m.max_age_seconds))
 ORDER BY s.source, s.since
