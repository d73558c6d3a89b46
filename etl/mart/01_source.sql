-- One row per source that is or was configured, or ever landed anything.
CREATE VIEW mart.source AS
SELECT source, kind, enabled, round(extract(epoch FROM max_age))::bigint AS max_age_seconds
  FROM core.source;

COMMENT ON VIEW mart.source IS 'One row per source that is or was configured, or ever landed anything.';
