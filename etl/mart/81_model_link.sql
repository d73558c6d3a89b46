-- One row per model that a source ever listed: the canonical model that it is, and what says so.
CREATE VIEW mart.model_link AS
SELECT source, model_id, canonical_id, method, evidence, confidence
  FROM core.model_link;

COMMENT ON VIEW mart.model_link IS
    'One row per model that a source ever listed: the canonical model that it is, and what says so. What cannot be linked stays, without one.';
