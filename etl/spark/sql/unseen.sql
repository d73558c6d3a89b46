-- The prices that stay in force although a snapshot does not show them: in each gap until they end or are shown again.
SELECT showing.source, model_id, provider, region, plan, meter, tier_start, seen.observed_at AS last_seen_at,
       since.observed_at AS valid_from, until.observed_at AS valid_to
  FROM {showing} showing
  LEFT JOIN {ending} ending USING (source, relation, key, first)
  JOIN {tick} seen ON seen.source = showing.source AND seen.ordinal = last
  JOIN {tick} since ON since.source = showing.source AND since.ordinal = following
  LEFT JOIN {tick} until ON until.source = showing.source AND until.ordinal = coalesce(ended, next_first)
 WHERE relation = 'price'
   AND following < coalesce(next_first, following + 1)
   AND following < coalesce(ended, following + 1)
