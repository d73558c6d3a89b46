-- The snapshots that could be read, each with its time and the one after it. Nothing else happens in history.
SELECT source, ordinal, observed_at, lead(ordinal) OVER (PARTITION BY source ORDER BY ordinal) AS next
  FROM {snapshot}
 WHERE failure IS NULL
