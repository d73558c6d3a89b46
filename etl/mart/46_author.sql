-- One row per author that a source names now.
CREATE VIEW mart.author AS
SELECT source, author, display_name, extra
  FROM core.author
 WHERE known_to IS NULL AND valid_from <= now() AND (valid_to IS NULL OR valid_to > now());

COMMENT ON VIEW mart.author IS 'One row per author that a source names, as believed now.';
