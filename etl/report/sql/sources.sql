-- One row per source in scope: its health, when it was observed first and last, and what it lists.
SELECT h.source, h.kind, h.enabled, h.status, h.last_attempt_at, h.last_complete_at, h.last_change_at, h.max_age_seconds,
       h.consecutive_failures, h.held_snapshots, h.quarantined_records, h.unmapped_fields, h.last_error,
       seen.first_at, seen.last_at, seen.snapshots,
       (SELECT count(*) FROM mart.model_current m
         WHERE m.source = h.source
           AND (:has_all_models OR (m.source, m.model_id) IN (SELECT * FROM unnest(CAST(:owners AS text[]), CAST(:models AS text[]))))) AS models,
       (SELECT count(*) FROM mart.endpoint_current e
         WHERE e.source = h.source
           AND (:has_all_models OR (e.source, e.model_id) IN (SELECT * FROM unnest(CAST(:owners AS text[]), CAST(:models AS text[]))))) AS endpoints,
       (SELECT count(*) FROM mart.price_current p
         WHERE p.source = h.source
           AND (:has_all_models OR (p.source, p.model_id) IN (SELECT * FROM unnest(CAST(:owners AS text[]), CAST(:models AS text[]))))) AS prices
  FROM mart.source_health h
  LEFT JOIN (SELECT o.source, min(o.observed_at) AS first_at, max(o.observed_at) AS last_at, count(*) AS snapshots
               FROM mart.observation o
              GROUP BY o.source) seen ON seen.source = h.source
 WHERE h.source = ANY (:sources)
 ORDER BY h.source
