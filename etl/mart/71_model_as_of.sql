-- The rows of model_current as they held at one moment, as believed at another.
CREATE FUNCTION mart.model_as_of(valid_at timestamptz, known_at timestamptz DEFAULT NULL)
RETURNS TABLE (source text, model_id text, name text, author text, description text, context_length bigint,
               max_output_tokens bigint, input_modalities text[], output_modalities text[],
               supported_parameters text[], released_at timestamptz, deprecated_at timestamptz,
               retires_at timestamptz, status text, aliases text[], extra jsonb, valid_from timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT v.source, v.model_id, v.name, v.author, v.description, v.context_length, v.max_output_tokens,
           v.input_modalities, v.output_modalities, v.supported_parameters, v.released_at,
           v.deprecated_at, v.retires_at, v.status, v.aliases, v.extra, v.valid_from
      FROM mart.model_version v
     WHERE v.valid_from <= $1 AND v.known_from <= coalesce($2, 'infinity')
       AND (v.known_to IS NULL OR v.known_to > coalesce($2, 'infinity'))
       AND (v.valid_to IS NULL OR v.valid_to > $1 OR v.end_known_from > coalesce($2, 'infinity'));
END;

COMMENT ON FUNCTION mart.model_as_of IS
    'The rows of model_current as they held at valid_at (UTC), as believed at known_at (null: now).';
