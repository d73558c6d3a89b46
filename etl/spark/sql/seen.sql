-- The same for the prices that are not shown, of which the value is when they were seen last.
SELECT version.* EXCEPT (last_seen), seen.observed_at AS last_seen_at
  FROM {version} version
  JOIN {tick} seen ON seen.source = version.source AND seen.ordinal = version.last_seen
