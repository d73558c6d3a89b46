-- One row per model that the source lists now.
CREATE VIEW mart.model_current AS
SELECT source, model_id,
       name, author, description, context_length, max_output_tokens, input_modalities, output_modalities,
       supported_parameters, released_at, deprecated_at, retires_at, status, aliases, extra,
       valid_from
  FROM core.model
 WHERE known_to IS NULL AND valid_from <= now() AND (valid_to IS NULL OR valid_to > now());

COMMENT ON VIEW mart.model_current IS 'One row per model that the source lists, as believed now.';
