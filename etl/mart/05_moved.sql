-- Whether a model, or an endpoint, came (or went) at a moment rather than merely changed then.
CREATE FUNCTION mart.model_moved(source text, model_id text, at timestamptz, came boolean) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN NOT EXISTS (SELECT FROM core.model m
                    WHERE m.source = $1 AND m.model_id = $2 AND m.known_to IS NULL
                      AND CASE WHEN came THEN m.valid_from < $3 AND (m.valid_to IS NULL OR m.valid_to >= $3)
                               ELSE m.valid_from <= $3 AND (m.valid_to IS NULL OR m.valid_to > $3) END);

COMMENT ON FUNCTION mart.model_moved IS
    'Whether the model was not there just before the moment (came), or is not there from the moment on (not came).';

CREATE FUNCTION mart.endpoint_moved(source text, model_id text, provider text, region text, at timestamptz,
                                    came boolean) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN NOT EXISTS (SELECT FROM core.endpoint e
                    WHERE (e.source, e.model_id, e.provider, e.region) = ($1, $2, $3, $4) AND e.known_to IS NULL
                      AND CASE WHEN came THEN e.valid_from < $5 AND (e.valid_to IS NULL OR e.valid_to >= $5)
                               ELSE e.valid_from <= $5 AND (e.valid_to IS NULL OR e.valid_to > $5) END);

COMMENT ON FUNCTION mart.endpoint_moved IS
    'Whether the endpoint was not there just before the moment (came), or is not there from the moment on (not came).';
