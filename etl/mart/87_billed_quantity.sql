-- One row per meter of one usage, with the quantity that is billed and the size of the prompt.
CREATE FUNCTION mart.billed_quantity(usage jsonb)
RETURNS TABLE (number integer, meter text, quantity numeric, prompt_tokens numeric, note text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH given AS (
        SELECT m.number, e.key AS meter, m.part_of, m.in_prompt, c.count,
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
    ), summed AS (
        SELECT g.*,
               sum(g.count) FILTER (WHERE g.part_of IS NOT NULL) OVER family AS parts,
               bool_or(g.part_of IS NOT NULL AND g.count IS NULL) OVER family AS has_unreadable_part,
               bool_or((g.in_prompt OR g.part_of = 'input_token') AND g.count IS NULL) OVER () AS has_unreadable_prompt,
               greatest(sum(g.count) FILTER (WHERE g.meter = 'input_token') OVER (),
                        sum(g.count) FILTER (WHERE g.part_of = 'input_token') OVER ()) AS text_tokens,
               sum(g.count) FILTER (WHERE g.in_prompt AND g.meter <> 'input_token') OVER () AS other_tokens
          FROM given g
        WINDOW family AS (PARTITION BY coalesce(g.part_of, g.meter))
    ), judged AS (
        SELECT s.*,
               coalesce(s.note,
                        CASE WHEN s.part_of IS NOT NULL THEN NULL
                             WHEN s.has_unreadable_part THEN 'cached or written quantity not a number >= 0'
                             WHEN s.parts > s.count THEN 'more cached and written tokens than input tokens'
                        END) AS fault
          FROM summed s
    )
    SELECT j.number, j.meter,
           CASE WHEN j.number IS NULL THEN j.count
                WHEN j.fault IS NULL
                THEN j.count - CASE WHEN j.part_of IS NULL THEN coalesce(j.parts, 0) ELSE 0 END END,
           CASE WHEN j.has_unreadable_prompt IS NOT TRUE
                THEN coalesce(j.text_tokens, 0) + coalesce(j.other_tokens, 0) END,
           j.fault
      FROM judged j
    UNION ALL
    SELECT NULL, NULL, NULL, NULL,
           CASE coalesce(jsonb_typeof($1), 'null') WHEN 'null' THEN 'usage is null' ELSE 'usage is not an object' END
     WHERE jsonb_typeof($1) IS DISTINCT FROM 'object';
END;

COMMENT ON FUNCTION mart.billed_quantity IS
    'One row per meter of one usage: an object from meters to counts. input_token counts the whole prompt: what was read from and written to the cache is taken out of it, and cached image, audio, video and file tokens out of their input tokens. The size of the prompt is input_token (or its cached and written parts, when they are more) plus image, audio, video and file input tokens.';
