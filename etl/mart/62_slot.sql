-- One row per due time of a source, with what became of it.
CREATE VIEW mart.slot AS
SELECT s.source, s.due_at, s.status, s.run_id, s.reason, r.worker, r.started_at, r.ended_at, r.outcome
  FROM core.slot s
  LEFT JOIN core.run r ON r.run_id = s.run_id;

COMMENT ON VIEW mart.slot IS
    'One row per due time of a source, with what became of it: taken by a run that is going on, done by one that ended, '
    'or missed. A missed slot is never made up with an invented snapshot; the next run catches up with the present.';
