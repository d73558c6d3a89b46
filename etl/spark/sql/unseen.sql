-- The prices that stay in force although a snapshot does not show them: in each gap until they end or are shown again.
SELECT showing.source, 'unseen' AS relation, showing.key, model_id, provider, region, plan, meter, tier_start, author,
       last AS last_seen, following AS valid_from, coalesce(ended, next_first) AS valid_to
  FROM {showing} showing
  LEFT JOIN {ending} ending USING (source, relation, key, first)
 WHERE relation = 'price'
   AND following < coalesce(next_first, following + 1)
   AND following < coalesce(ended, following + 1)
