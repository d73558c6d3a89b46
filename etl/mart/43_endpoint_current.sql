-- One row per endpoint that the source lists now.
CREATE VIEW mart.endpoint_current AS
SELECT source, model_id, provider, region,
       provider_model_id, context_length, max_output_tokens, quantization, is_ptb, supported_parameters,
       unsupported_parameters, rate_limits, extra,
       valid_from
  FROM core.endpoint
 WHERE valid_to IS NULL AND known_to IS NULL AND valid_from <= now()
UNION ALL
-- Only a snapshot that is dated in the future ends anything later than now. Mostly there is none: the subselect is asked
-- once, and the closed versions are then not looked at.
SELECT source, model_id, provider, region,
       provider_model_id, context_length, max_output_tokens, quantization, is_ptb, supported_parameters,
       unsupported_parameters, rate_limits, extra,
       valid_from
  FROM core.endpoint v
 WHERE v.valid_to > now() AND v.known_to IS NULL AND v.valid_from <= now()
   AND (SELECT EXISTS (SELECT FROM core.snapshot c
                        WHERE c.observed_at > now() AND c.status IN ('loaded', 'unchanged')));

COMMENT ON VIEW mart.endpoint_current IS 'One row per endpoint that the source lists, as believed now.';
