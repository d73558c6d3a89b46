-- Gaps and islands: runs of a key with one value are one version, unless the key ended between them.
WITH run AS (
    SELECT showing.*, ended,
           coalesce(ended, CASE WHEN next_value <> value THEN next_first END) AS valid_to
      FROM {showing} showing
      LEFT JOIN {ending} ending USING (source, relation, key, first)
), marked AS (
    SELECT *, lag(first) OVER of_key IS NULL OR lag(valid_to) OVER of_key IS NOT NULL AS begins
      FROM run
    WINDOW of_key AS (PARTITION BY source, relation, key ORDER BY first)
), numbered AS (
    SELECT *, count_if(begins) OVER (PARTITION BY source, relation, key ORDER BY first) AS number FROM marked
)
SELECT source, relation, key, number, any_value(model_id) AS model_id, any_value(provider) AS provider,
       any_value(region) AS region, any_value(plan) AS plan, any_value(meter) AS meter,
       any_value(tier_start) AS tier_start, any_value(author) AS author, any_value(value) AS value,
       min(first) AS valid_from, max_by(valid_to, first) AS valid_to
  FROM numbered
 GROUP BY source, relation, key, number
