-- One row per version of one endpoint, as believed now.
CREATE VIEW mart.endpoint_history AS
SELECT source, model_id, provider, region,
       provider_model_id, context_length, max_output_tokens, quantization, is_ptb, supported_parameters,
       unsupported_parameters, rate_limits, extra,
       valid_from, valid_to, known_from
  FROM core.endpoint
 WHERE known_to IS NULL;

COMMENT ON VIEW mart.endpoint_history IS 'One row per version of one endpoint, as believed now.';
