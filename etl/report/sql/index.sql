-- One row per source and day of the window: the index of prices, and what moved in its basket.
SELECT i.source, i.day, i.index, i.items, i.entered, i.gone, i.changed
  FROM mart.price_index i
 WHERE i.day >= CAST(:since AS timestamptz)::date
   -- What all sources make together is said where all are asked for.
   AND (i.source = ANY (:sources) OR i.source = '*' AND :has_all_sources)
 ORDER BY i.source <> '*', i.source, i.day
