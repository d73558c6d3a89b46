-- One row per meter of one usage as it was counted, and one per meter whose price one of them may have.
CREATE FUNCTION mart.counted_meter(usage jsonb)
RETURNS TABLE (number integer, meter text, is_given boolean, count numeric, prompt_tokens numeric, note text,
               part_of text, priced_as text)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH given AS (
        SELECT m.number, e.key AS meter, m.part_of, m.in_prompt, m.priced_as, c.count,
               CASE WHEN m.meter IS NULL THEN 'unknown meter name'
                    WHEN jsonb_typeof(e.value) <> 'number' THEN 'quantity not a number >= 0'
                    WHEN e.value::numeric < 0 THEN 'quantity not a number >= 0'
                    WHEN c.count IS NULL THEN 'quantity beyond all reason' END AS note
          FROM jsonb_each(CASE jsonb_typeof($1) WHEN 'object' THEN $1 END) e
          LEFT JOIN mart.meter m ON m.meter = e.key
         -- A product of two numbers that long would no longer be exact, or fail and take every other row with it.
         CROSS JOIN LATERAL (
            SELECT CASE WHEN jsonb_typeof(e.value) <> 'number' THEN NULL
                        WHEN e.value::numeric >= 0 AND e.value::numeric < 1e120 AND scale(e.value::numeric) <= 240
                        THEN trim_scale(e.value::numeric) END AS count) c
         -- What usage_from has to remark is no meter.
         WHERE e.key <> 'note' OR jsonb_typeof(e.value) <> 'string'
    ), prompt AS (
        -- A count inside of one that is given is in it already; one beyond it is a mistake, and the larger prompt dearer.
        SELECT CASE WHEN bool_or(g.meter = 'input_token' AND g.count IS NULL) THEN NULL
                    WHEN $1 ? 'input_token'
                    THEN greatest(max(g.count) FILTER (WHERE g.meter = 'input_token'),
                                  sum(g.count) FILTER (WHERE g.part_of = 'input_token' AND g.meter LIKE 'cache%'),
                                  sum(g.count) FILTER (WHERE g.part_of = 'input_token' AND g.meter NOT LIKE 'cache%'))
                    WHEN bool_or(g.in_prompt AND g.count IS NULL) IS NOT TRUE
                    THEN coalesce(sum(g.count) FILTER (WHERE g.in_prompt AND NOT $1 ? g.part_of), 0)
                    END AS tokens
          FROM given g
    )
    SELECT g.number, g.meter, true, g.count, p.tokens, g.note, g.part_of, array_to_string(g.priced_as, ',')
      FROM given g CROSS JOIN prompt p
    UNION ALL
    SELECT DISTINCT NULL::integer, w.meter, false, NULL::numeric, p.tokens, NULL, NULL, NULL
      FROM given g CROSS JOIN unnest(g.priced_as) w (meter) CROSS JOIN prompt p
     WHERE NOT $1 ? w.meter
    UNION ALL
    SELECT NULL, NULL, true, NULL, NULL,
           CASE coalesce(jsonb_typeof($1), 'null') WHEN 'null' THEN 'usage is null' ELSE 'usage is not an object' END,
           NULL, NULL
     WHERE jsonb_typeof($1) IS DISTINCT FROM 'object';
END $$;

COMMENT ON FUNCTION mart.counted_meter IS
    'One row per meter of one usage (an object from meters to counts) as it was counted, and one, without a count, per meter whose price one of them may have. The size of the prompt is input_token, or where that is not given the sum of its parts.';
