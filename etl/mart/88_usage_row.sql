-- One row per row of a table or view of usage, numbered, with region and plan filled in.
CREATE FUNCTION mart.usage_row(usage_table regclass)
RETURNS TABLE (line bigint, usage_id text, source text, model_id text, provider text, region text, plan text,
               at timestamptz, usage jsonb)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED ROWS 100000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present text[] := ARRAY(SELECT a.attname FROM pg_attribute a
                             WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped);
    absent  text := (SELECT string_agg(needed, ', ')
                       FROM unnest(ARRAY['usage_id', 'source', 'model_id', 'provider', 'region', 'at', 'usage']) needed
                      WHERE needed <> ALL (present));
BEGIN
    IF absent IS NOT NULL THEN
        RAISE EXCEPTION '% has no column %', coalesce($1::text, 'null'), absent
            USING ERRCODE = 'undefined_column',
                  HINT = 'usage_id, source, model_id, provider, region, at and usage are needed; plan is optional';
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT row_number() OVER (), t.usage_id::text, t.source::text, t.model_id::text, t.provider::text,'
        ' coalesce(t.region::text, ''*''), coalesce(%s, ''standard''), t.at::timestamptz, t.usage::jsonb FROM %s t',
        CASE WHEN 'plan' = ANY (present) THEN 't.plan::text' ELSE 'NULL' END, $1);
END $$;

COMMENT ON FUNCTION mart.usage_row IS
    'One row per row of a table or view of usage, numbered, with region (*) and plan (standard) filled in. It reads the columns usage_id, source, model_id, provider, region, at and usage, and plan where it is there, with the rights of the caller.';
