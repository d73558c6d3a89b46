-- One row per snapshot that history is made of, with the moment at which we came to know it.
CREATE VIEW mart.observation AS
SELECT source, observed_at, known_at, is_complete
  FROM core.snapshot
 WHERE status IN ('loaded', 'unchanged');

COMMENT ON VIEW mart.observation IS
    'One row per snapshot that history is made of, with the moment at which we came to know it.';
