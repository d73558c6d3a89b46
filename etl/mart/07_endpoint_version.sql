-- One row per version of one endpoint that was ever believed, on both clocks.
CREATE VIEW mart.endpoint_version AS
SELECT source, model_id, provider, region,
       provider_model_id, context_length, max_output_tokens, quantization, is_ptb, supported_parameters,
       unsupported_parameters, rate_limits, extra,
       valid_from, valid_to, known_from, known_to, end_known_from
  FROM core.endpoint;

COMMENT ON VIEW mart.endpoint_version IS
    'One row per version of one endpoint that was ever believed, on both clocks: what held, and what we believed.';
