-- One row per model that the source lists now.
CREATE VIEW mart.model_current AS
SELECT source, model_id,
       name, author, description, context_length, max_output_tokens, input_modalities, output_modalities,
       supported_parameters, released_at, deprecated_at, retires_at, status, aliases, extra,
       valid_from
  FROM core.model
 WHERE valid_to IS NULL AND known_to IS NULL AND valid_from <= now()
UNION ALL
-- Only a snapshot that is dated in the future ends anything later than now. Mostly there is none: the subselect is asked
-- once, and the closed versions are then not looked at.
SELECT source, model_id,
       name, author, description, context_length, max_output_tokens, input_modalities, output_modalities,
       supported_parameters, released_at, deprecated_at, retires_at, status, aliases, extra,
       valid_from
  FROM core.model v
 WHERE v.valid_to > now() AND v.known_to IS NULL AND v.valid_from <= now()
   AND (SELECT EXISTS (SELECT FROM core.snapshot c
                        WHERE c.observed_at > now() AND c.status IN ('loaded', 'unchanged')));

COMMENT ON VIEW mart.model_current IS 'One row per model that the source lists, as believed now.';
