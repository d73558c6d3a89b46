-- One row per provider that a source names now.
CREATE VIEW mart.provider AS
SELECT source, provider, display_name, extra
  FROM core.provider
 WHERE known_to IS NULL AND valid_from <= now() AND (valid_to IS NULL OR valid_to > now());

COMMENT ON VIEW mart.provider IS 'One row per provider that a source names, as believed now.';
