-- One row per price and span of time in which the snapshots of the window could not show it.
SELECT u.source, u.model_id, u.provider, u.region, u.plan, u.meter, u.tier_start,
       u.last_seen_at AS since, u.valid_to AS until
  FROM mart.unseen_version u
 WHERE u.known_to IS NULL AND (u.valid_to IS NULL OR u.valid_to > :since)
   AND u.source = ANY (:sources)
   AND (:has_all_models OR (u.source, u.model_id) IN (SELECT * FROM unnest(CAST(:owners AS text[]), CAST(:models AS text[]))))
