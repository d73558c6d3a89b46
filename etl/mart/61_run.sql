-- One row per run: one attempt at one source, by whom, for which slot, and how it ended.
CREATE VIEW mart.run AS
SELECT r.run_id, r.source, r.due_at, r.caller, r.worker, r.started_at, r.ended_at, r.outcome, r.snapshot_id, r.error
  FROM core.run r;

COMMENT ON VIEW mart.run IS
    'One row per run: one attempt at one source, by whom, for which slot, and how it ended. '
    'Saved snapshots that are backfilled and dry runs are no runs.';
