-- One row per source that is or was configured, or ever landed anything.
CREATE VIEW mart.source AS
SELECT source, kind, enabled, max_age
  FROM core.source;

COMMENT ON VIEW mart.source IS 'One row per source that is or was configured, or ever landed anything.';
