-- One row per version of one model, as believed now.
CREATE VIEW mart.model_history AS
SELECT source, model_id,
       name, author, description, context_length, max_output_tokens, input_modalities, output_modalities,
       supported_parameters, released_at, deprecated_at, retires_at, status, aliases, extra,
       valid_from, valid_to, known_from
  FROM core.model
 WHERE known_to IS NULL;

COMMENT ON VIEW mart.model_history IS 'One row per version of one model, as believed now.';
