-- The rows of endpoint_current as they held at one moment, as believed at another.
CREATE FUNCTION mart.endpoint_as_of(valid_at timestamptz, known_at timestamptz DEFAULT NULL)
RETURNS TABLE (source text, model_id text, provider text, region text, provider_model_id text, context_length bigint,
               max_output_tokens bigint, quantization text, is_ptb boolean, supported_parameters text[],
               unsupported_parameters text[], rate_limits jsonb, extra jsonb, valid_from timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT v.source, v.model_id, v.provider, v.region, v.provider_model_id, v.context_length, v.max_output_tokens,
           v.quantization, v.is_ptb, v.supported_parameters, v.unsupported_parameters, v.rate_limits,
           v.extra, v.valid_from
      FROM mart.endpoint_version v
     WHERE v.valid_from <= $1 AND v.known_from <= coalesce($2, 'infinity')
       AND (v.known_to IS NULL OR v.known_to > coalesce($2, 'infinity'))
       AND (v.valid_to IS NULL OR v.valid_to > $1 OR v.end_known_from > coalesce($2, 'infinity'));
END;

COMMENT ON FUNCTION mart.endpoint_as_of IS
    'The rows of endpoint_current as they held at valid_at (UTC), as believed at known_at (null: now).';
