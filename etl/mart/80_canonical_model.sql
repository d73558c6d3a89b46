-- One row per canonical model: what different sources list under ids of their own.
CREATE VIEW mart.canonical_model AS
SELECT c.canonical_id, c.vendor, c.name, l.model_ids, l.sources, l.confidence
  FROM core.canonical_model c
  JOIN (SELECT canonical_id, count(*) AS model_ids, count(DISTINCT source) AS sources, min(confidence) AS confidence
          FROM core.model_link
         GROUP BY canonical_id) l ON l.canonical_id = c.canonical_id;

COMMENT ON VIEW mart.canonical_model IS
    'One row per canonical model: what different sources list under ids of their own. Rules: docs/identity.md.';
