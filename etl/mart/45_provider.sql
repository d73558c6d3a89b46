-- One row per provider that a source names now.
CREATE VIEW mart.provider AS
SELECT source, provider, display_name, extra
  FROM core.provider
 WHERE valid_to IS NULL AND known_to IS NULL;

COMMENT ON VIEW mart.provider IS 'One row per provider that a source names, as believed now.';
