-- What was read: one row per snapshot, with what became of it when it came, and why it cannot be read now.
SELECT source, first AS ordinal, told.*
  FROM (SELECT source, first,
               from_json(value, 'snapshot_id bigint, observed_at timestamp, status string, failure string',
                         map('mode', 'FAILFAST')) AS told
          FROM {piece}
         WHERE relation = 'snapshot')
