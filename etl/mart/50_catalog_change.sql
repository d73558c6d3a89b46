-- One row per model or endpoint that came, went or returned, and per attribute of one that changed.
CREATE VIEW mart.catalog_change AS
SELECT source, model_id, provider, region, entity, change, attribute, old_value, new_value, changed_at, not_before
  FROM core.catalog_change
 WHERE known_to IS NULL;

COMMENT ON VIEW mart.catalog_change IS
    'One row per model or endpoint that came, went or returned, and per attribute of one that changed, as believed now. '
    'The first snapshot of a source makes no changes.';
