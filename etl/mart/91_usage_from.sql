-- A vendor's usage object as the usage that usage_cost and usage_costs take: meters, and in note what has none.
CREATE FUNCTION mart.usage_from(vendor text, usage jsonb)
RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF jsonb_typeof($2) IS DISTINCT FROM 'object' THEN
        RETURN $2;
    END IF;
    IF $1 IS NULL OR $1 NOT IN (SELECT f.vendor FROM mart.usage_field f) THEN
        RETURN jsonb_build_object('note', format('vendor %s not known: it is one of %s', coalesce($1, 'null'),
                                                 (SELECT string_agg(DISTINCT f.vendor, ', ' ORDER BY f.vendor) FROM mart.usage_field f)));
    END IF;
    RETURN (
        WITH RECURSIVE node (path, value) AS (
            SELECT e.key, e.value FROM jsonb_each($2) e
            UNION ALL
            -- The elements of a list go by their modality or lifetime: promptTokensDetails.AUDIO.tokenCount.
            SELECT n.path || '.' || c.key, c.value
              FROM node n
             CROSS JOIN LATERAL (
                SELECT o.key, o.value FROM jsonb_each(CASE jsonb_typeof(n.value) WHEN 'object' THEN n.value END) o
                UNION ALL
                SELECT coalesce(a.value ->> 'modality', a.value ->> 'ttl', (a.place - 1)::text),
                       CASE jsonb_typeof(a.value) WHEN 'object' THEN a.value - '{modality, ttl}'::text[] ELSE a.value END
                  FROM jsonb_array_elements(CASE jsonb_typeof(n.value) WHEN 'array' THEN n.value END)
                       WITH ORDINALITY a (value, place)) c
        ), leaf AS (
            SELECT n.path, n.value, replace(lower(n.path), '_', '') AS spelling,
                   CASE WHEN jsonb_typeof(n.value) = 'number' THEN n.value::numeric END AS count
              FROM node n WHERE jsonb_typeof(n.value) NOT IN ('object', 'array', 'null')
        ), field AS (
            SELECT * FROM mart.usage_field f WHERE f.vendor = $1
        ), known AS (
            -- One field under two spellings counts once.
            SELECT l.path, l.value, l.count, coalesce(f.same_as, f.field) AS counts_as, f.is_total,
                   f.is_bare AND f.same_as IS NULL AS is_inside,
                   rank() OVER (PARTITION BY coalesce(f.same_as, f.field) ORDER BY f.same_as NULLS FIRST, l.path) = 1 AS is_first
              FROM leaf l
              JOIN (SELECT f.field, f.same_as, f.spelling, f.is_total, f.quiet, bool_and(f.meter IS NULL) AS is_bare
                      FROM field f GROUP BY f.field, f.same_as, f.spelling, f.is_total, f.quiet) f
                ON l.spelling = f.spelling AND (f.quiet IS NULL OR lower(l.value #>> '{}') = ANY (f.quiet))
                OR f.is_bare AND starts_with(l.spelling, f.spelling || '.')
        ), counted AS (
            -- What is no count stays what it is, so that it is refused with its reason and not lost in a sum.
            SELECT f.meter, sum(f.sign * k.count) AS count,
                   (array_agg(k.value ORDER BY k.path) FILTER (WHERE k.count IS NULL OR k.count < 0))[1] AS unreadable,
                   string_agg(k.path || ' ' || (k.value #>> '{}'), ', ' ORDER BY k.path COLLATE "C") AS parts
              FROM known k JOIN field f ON f.field = k.counts_as AND f.meter IS NOT NULL
             WHERE k.is_first
               AND (f.only_with IS NULL OR f.only_with IN (SELECT o.counts_as FROM known o))
               AND (f.only_without IS NULL OR f.only_without NOT IN (SELECT o.counts_as FROM known o))
             GROUP BY f.meter
        ), whole AS (
            SELECT coalesce(sum(c.count) FILTER (WHERE c.meter IN ('input_token', 'output_token')), 0) AS tokens,
                   coalesce(sum(c.count) FILTER (WHERE c.meter IN ('cache_read_token', 'cache_write_token')), 0) AS cached,
                   concat_ws(', ', 'input_token ' || sum(c.count) FILTER (WHERE c.meter = 'input_token'),
                                   'output_token ' || sum(c.count) FILTER (WHERE c.meter = 'output_token')) AS named
              FROM counted c
        ), remark AS (
            SELECT 1 AS place, 'no meter for: ' || string_agg(left(l.path, 100) || ' ' || left(l.value #>> '{}', 40), ', '
                                                              ORDER BY l.path COLLATE "C") AS note
              FROM leaf l
             WHERE l.path NOT IN (SELECT k.path FROM known k)
                OR EXISTS (SELECT FROM known k JOIN known o ON o.counts_as = k.counts_as AND o.is_first
                            WHERE k.path = l.path AND NOT k.is_first AND NOT k.is_inside AND o.value <> k.value)
            UNION ALL
            SELECT 2, 'a total and its parts disagree: ' || c.parts
              FROM counted c WHERE c.count < 0 AND c.unreadable IS NULL
            UNION ALL
            -- Some models on Bedrock leave what was cached out of the total.
            SELECT 3, format('a total and its parts disagree: %s %s, %s', k.path, k.count, w.named)
              FROM known k CROSS JOIN whole w
             WHERE k.is_total AND k.count <> w.tokens AND NOT ($1 = 'bedrock' AND k.count = w.tokens - w.cached)
        )
        SELECT coalesce(jsonb_object_agg(c.meter, coalesce(c.unreadable, to_jsonb(trim_scale(c.count))))
                        FILTER (WHERE c.meter IS NOT NULL), '{}')
               || coalesce((SELECT jsonb_build_object('note', string_agg(r.note, '; ' ORDER BY r.place, r.note COLLATE "C"))
                              FROM remark r WHERE r.note IS NOT NULL HAVING count(*) > 0), '{}')
          FROM counted c);
END $$;

COMMENT ON FUNCTION mart.usage_from IS
    'A vendor''s usage object (openai.chat, openai.responses, anthropic, gemini, bedrock, otel) as the usage that usage_cost and usage_costs take: an object from meters to counts, and under note, where there are any, the fields that have no meter and the totals that disagree with their parts.';
