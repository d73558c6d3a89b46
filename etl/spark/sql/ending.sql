-- Where a row that is no longer shown ends: at the first snapshot of the gap after its run that is not silent about it.
-- The silences of a gap are laid one after the other; `reach` is how far they go without a snapshot between them.
WITH gap AS (
    SELECT source, relation, key, model_id, provider, region, plan, meter, tier_start, first, following, next_first
      FROM {showing}
     WHERE following < coalesce(next_first, following + 1)
), hit AS (
    SELECT gap.source, gap.relation, gap.key, gap.first, following, silence.first AS since, silence.last AS until
      FROM gap
      JOIN {silence} silence
        ON silence.source = gap.source
       AND silence.model_id = gap.model_id
       AND coalesce(silence.relation, gap.relation) = gap.relation
       AND coalesce(silence.provider = gap.provider, true)
       AND coalesce(silence.region = gap.region, true)
       AND coalesce(silence.plan = gap.plan, true)
       AND coalesce(silence.meter = gap.meter, true)
       AND coalesce(silence.tier_start = gap.tier_start, true)
       AND silence.last >= gap.following
       AND coalesce(silence.first < gap.next_first, true)
    UNION ALL
    -- The same for what names no model: another join, so that both can be made by equal keys.
    SELECT gap.source, gap.relation, gap.key, gap.first, following, silence.first, silence.last
      FROM gap
      JOIN {silence} silence
        ON silence.source = gap.source
       AND (silence.model_id IS NULL OR gap.model_id IS NULL)
       AND coalesce(silence.relation, gap.relation) = gap.relation
       AND coalesce(silence.provider = gap.provider, true)
       AND coalesce(silence.region = gap.region, true)
       AND coalesce(silence.plan = gap.plan, true)
       AND coalesce(silence.meter = gap.meter, true)
       AND coalesce(silence.tier_start = gap.tier_start, true)
       AND silence.last >= gap.following
       AND coalesce(silence.first < gap.next_first, true)
), reached AS (
    SELECT source, relation, key, first, since, until,
           greatest(following, 1 + max(until) OVER (PARTITION BY source, relation, key, first ORDER BY since
                                                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS reach
      FROM hit
), heard AS (
    SELECT source, relation, key, first,
           coalesce(min(reach) FILTER (WHERE since > reach), max(greatest(reach, until + 1))) AS ordinal
      FROM reached
     GROUP BY source, relation, key, first
), candidate AS (
    SELECT gap.source, gap.relation, gap.key, gap.first, next_first, coalesce(heard.ordinal, following) AS ended
      FROM gap
      LEFT JOIN heard ON heard.source = gap.source AND heard.relation = gap.relation AND heard.key = gap.key
                     AND heard.first = gap.first
)
SELECT candidate.source, relation, key, first, ended
  FROM candidate
  JOIN {tick} tick ON tick.source = candidate.source AND tick.ordinal = ended
 WHERE coalesce(ended < next_first, true)
