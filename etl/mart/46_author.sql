-- One row per author that a source names now.
CREATE VIEW mart.author AS
SELECT source, author, display_name, extra
  FROM core.author
 WHERE valid_to IS NULL AND known_to IS NULL;

COMMENT ON VIEW mart.author IS 'One row per author that a source names, as believed now.';
