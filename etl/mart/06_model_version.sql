-- One row per version of one model that was ever believed, on both clocks.
CREATE VIEW mart.model_version AS
SELECT source, model_id,
       name, author, description, context_length, max_output_tokens, input_modalities, output_modalities,
       supported_parameters, released_at, deprecated_at, retires_at, status, aliases, extra,
       valid_from, valid_to, known_from, known_to, end_known_from
  FROM core.model;

COMMENT ON VIEW mart.model_version IS
    'One row per version of one model that was ever believed, on both clocks: what held, and what we believed.';
