-- The changes of models and endpoints from :since on that the believed versions of a source make; of :models only, or
-- of all where that is null.
WITH version AS (
    SELECT 'model' AS entity, m.source, m.model_id, NULL::text AS provider, NULL::text AS region,
           m.valid_from, m.valid_to,
           to_jsonb(m) - '{version_id,source,model_id,valid_from,valid_to,known_from,known_to,end_known_from}'::text[]
               AS attributes
      FROM core.model m
     WHERE m.source = :source AND m.known_to IS NULL
       AND (CAST(:models AS text[]) IS NULL OR m.model_id = ANY (CAST(:models AS text[])))
    UNION ALL
    SELECT 'endpoint', e.source, e.model_id, e.provider, e.region, e.valid_from, e.valid_to,
           to_jsonb(e) - '{version_id,source,model_id,provider,region}'::text[]
                       - '{valid_from,valid_to,known_from,known_to,end_known_from}'::text[]
      FROM core.endpoint e
     WHERE e.source = :source AND e.known_to IS NULL
       AND (CAST(:models AS text[]) IS NULL OR e.model_id = ANY (CAST(:models AS text[])))
), chained AS (
    SELECT v.*, lag(v.valid_to) OVER k AS before_valid_to, lag(v.attributes) OVER k AS before_attributes,
           lead(v.valid_from) OVER k AS next_valid_from
      FROM version v
    WINDOW k AS (PARTITION BY v.model_id, v.entity, v.provider, v.region ORDER BY v.valid_from)
), step AS (
    SELECT v.*, CASE WHEN v.before_valid_to IS NULL THEN 'came' ELSE 'returned' END AS change,
           NULL::text AS attribute, NULL::text AS old_value, NULL::text AS new_value, v.valid_from AS changed_at
      FROM chained v
     WHERE v.valid_from >= :since AND v.before_valid_to IS DISTINCT FROM v.valid_from
    UNION ALL
    SELECT v.*, 'went', NULL, NULL, NULL, v.valid_to
      FROM chained v
     WHERE v.valid_to >= :since AND v.next_valid_from IS DISTINCT FROM v.valid_to
    UNION ALL
    SELECT v.*, 'changed', a.key, v.before_attributes ->> a.key, v.attributes ->> a.key, v.valid_from
      FROM chained v
     CROSS JOIN LATERAL jsonb_object_keys(v.attributes) a (key)
     WHERE v.valid_from >= :since AND v.before_valid_to = v.valid_from
       AND v.before_attributes -> a.key IS DISTINCT FROM v.attributes -> a.key
)
SELECT s.source, s.model_id, s.provider, s.region, s.entity, s.change, s.attribute, s.old_value, s.new_value,
       s.changed_at, seen.not_before
  FROM step s
 -- A model is there for all who serve it.
 CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(DISTINCT e.provider), '{}') AS providers
      FROM core.endpoint e
     WHERE s.entity = 'model' AND s.change <> 'changed' AND e.source = s.source AND e.model_id = s.model_id
       AND e.known_to IS NULL AND e.valid_from <= s.changed_at AND (e.valid_to IS NULL OR e.valid_to >= s.changed_at)) routes
 CROSS JOIN LATERAL (
    -- What could not be seen is known from its prices. What is not complete cannot prove that something was not there
    -- yet, or no more.
    SELECT coalesce(
               (SELECT max(u.last_seen_at) FROM core.unseen u
                 WHERE u.source = s.source AND u.model_id = s.model_id AND u.known_to IS NULL
                   AND u.valid_to = s.changed_at
                   AND (s.entity = 'model' OR (u.provider, u.region) = (s.provider, s.region))),
               (SELECT max(n.observed_at) FROM core.snapshot n
                 WHERE n.source = s.source AND n.status IN ('loaded', 'unchanged') AND n.observed_at < s.changed_at
                   AND (s.change = 'changed'
                        OR CASE WHEN n.covered IS NULL THEN n.is_complete
                                WHEN s.entity = 'endpoint' THEN s.provider = ANY (n.covered)
                                ELSE routes.providers <@ n.covered END)),
               (SELECT max(n.observed_at) FROM core.snapshot n
                 WHERE n.source = s.source AND n.status IN ('loaded', 'unchanged')
                   AND n.observed_at < s.changed_at)) AS not_before) seen
 WHERE seen.not_before IS NOT NULL
