-- One row per price and span of time in which it was carried on although the snapshots could not show it.
CREATE VIEW mart.unseen_version AS
SELECT source, model_id, provider, region, plan, meter, tier_start, last_seen_at,
       valid_from, valid_to, known_from, known_to, end_known_from
  FROM core.unseen;

COMMENT ON VIEW mart.unseen_version IS
    'One row per price and span of time in which it was carried on although the snapshots could not show it, on both clocks.';
