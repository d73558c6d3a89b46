-- From when to when, in ordinals and both included, absence proves nothing about the rows that match; a null matches all.
-- What a snapshot does not list, may not have seen or could not read, it does not end.
WITH provider AS (
    SELECT DISTINCT source, provider FROM {piece} WHERE relation IN ('provider', 'endpoint', 'price')
), unlisted (relation) AS (
    VALUES ('provider'), ('endpoint'), ('price')
)
SELECT source, CAST(null AS string) AS relation, CAST(null AS string) AS model_id, CAST(null AS string) AS provider,
       CAST(null AS string) AS region, CAST(null AS string) AS plan, CAST(null AS string) AS meter,
       CAST(null AS bigint) AS tier_start, ordinal AS first, ordinal AS last
  FROM {snapshot}
 WHERE failure IS NOT NULL
UNION ALL
SELECT source, null, null, null, null, null, null, null, first, last
  FROM {coverage}
 WHERE providers IS NULL AND NOT is_complete
UNION ALL
-- Where the source tells which providers could be listed, the rows of the others cannot end, ...
SELECT c.source, unlisted.relation, null, provider.provider, null, null, null, null, c.first, c.last
  FROM {coverage} c
  JOIN provider ON provider.source = c.source AND NOT array_contains(c.providers, provider.provider)
 CROSS JOIN unlisted
UNION ALL
-- ... and authors, who have no provider, only with the whole.
SELECT source, 'author', null, null, null, null, null, null, first, last
  FROM {coverage}
 WHERE providers IS NOT NULL AND NOT is_complete
UNION ALL
SELECT source, 'provider', null, null, null, null, null, null, first, last FROM {coverage} WHERE NOT lists_providers
UNION ALL
SELECT source, 'author', null, null, null, null, null, null, first, last FROM {coverage} WHERE NOT lists_authors
UNION ALL
SELECT source, null, model_id, provider, region, plan, meter, tier_start, first, last
  FROM {piece}
 WHERE relation = 'scope'
