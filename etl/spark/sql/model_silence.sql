-- The same for models where the source tells of its providers: a model can end when all providers that have a route to it
-- could be listed; and one without any route, with the whole. Routes are those before the snapshot: a version that
-- begins at ordinal f and ends at t is one for the snapshots from f + 1 to t.
WITH told AS (
    SELECT source, first, last, providers, is_complete FROM {coverage} WHERE providers IS NOT NULL
), route AS (
    SELECT source, model_id, provider, valid_from + 1 AS since, coalesce(valid_to, 1L << 60) AS until
      FROM {version}
     WHERE relation = 'endpoint'
), routed AS (
    SELECT source, model_id, since,
           max(until) OVER (PARTITION BY source, model_id ORDER BY since
                             ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS routed_to
      FROM route
), routeless AS (
    SELECT source, model_id, coalesce(routed_to + 1, 0L) AS since, since - 1 AS until
      FROM routed
     WHERE coalesce(routed_to + 1, 0L) < since
    UNION ALL
    SELECT model.source, model.model_id, coalesce(max(route.until) + 1, 0L), 1L << 60
      FROM (SELECT DISTINCT source, model_id FROM {piece} WHERE relation = 'model') model
      LEFT JOIN route ON route.source = model.source AND route.model_id = model.model_id
     GROUP BY model.source, model.model_id
), unheard AS (
    SELECT route.source, route.model_id, greatest(since, first) AS first, least(until, last) AS last
      FROM route
      JOIN told ON told.source = route.source AND NOT array_contains(told.providers, route.provider)
               AND told.last >= route.since AND told.first <= route.until
    UNION ALL
    SELECT routeless.source, routeless.model_id, greatest(since, first), least(until, last)
      FROM routeless
      JOIN told ON told.source = routeless.source AND NOT told.is_complete
               AND told.last >= routeless.since AND told.first <= routeless.until
)
SELECT source, relation, model_id, provider, region, plan, meter, tier_start, first, last
  FROM {silence}
 WHERE relation IS NULL
UNION ALL
SELECT source, 'model', model_id, null, null, null, null, null, first, last FROM unheard
