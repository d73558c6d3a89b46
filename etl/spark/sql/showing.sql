-- The runs of some relations, each with the snapshot that follows its last one and with the next run of its key.
SELECT piece.*, tick.next AS following, lead(first) OVER of_key AS next_first, lead(value) OVER of_key AS next_value
  FROM {piece} piece
  JOIN {tick} tick ON tick.source = piece.source AND tick.ordinal = piece.last
 WHERE array_contains(:relations, relation)
WINDOW of_key AS (PARTITION BY piece.source, relation, key ORDER BY first)
