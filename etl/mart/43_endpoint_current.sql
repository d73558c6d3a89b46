-- One row per endpoint that the source lists now.
CREATE VIEW mart.endpoint_current AS
SELECT source, model_id, provider, region,
       provider_model_id, context_length, max_output_tokens, quantization, is_ptb, supported_parameters,
       unsupported_parameters, rate_limits, extra,
       valid_from
  FROM core.endpoint
 WHERE known_to IS NULL AND valid_from <= now() AND (valid_to IS NULL OR valid_to > now());

COMMENT ON VIEW mart.endpoint_current IS 'One row per endpoint that the source lists, as believed now.';
