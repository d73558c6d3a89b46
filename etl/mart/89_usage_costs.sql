-- One row per row of a table of usage, with what it costs at its own moment or at one moment for all.
CREATE FUNCTION mart.usage_costs(usage_table regclass, at timestamptz DEFAULT NULL, known_at timestamptz DEFAULT NULL)
RETURNS TABLE (usage_id text, source text, model_id text, provider text, region text, at timestamptz,
               prompt_tokens numeric, cost numeric, currency text, cost_usd numeric, note text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $function$
#variable_conflict use_column
DECLARE
    present text[] := ARRAY(SELECT a.attname FROM pg_attribute a
                             WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped);
    absent  text := (SELECT string_agg(needed, ', ')
                       FROM unnest(ARRAY['usage_id', 'source', 'model_id', 'provider', 'region', 'at', 'usage']) needed
                      WHERE needed <> ALL (present));
BEGIN
    IF absent IS NOT NULL THEN
        RAISE EXCEPTION '% has no column %', coalesce($1::text, 'null'), absent USING
            ERRCODE = 'undefined_column',
            HINT = 'The columns usage_id, source, model_id, provider, region, at and usage are needed; plan is read where it is there.';
    END IF;
    RETURN QUERY EXECUTE format($statement$
WITH given AS MATERIALIZED (
    SELECT row_number() OVER () AS line, t.usage_id::text AS usage_id, t.source::text AS source,
           t.model_id::text AS model_id, t.provider::text AS provider, coalesce(t.region::text, '*') AS region,
           coalesce(%2$s, 'standard') AS plan, coalesce($1, t.at::timestamptz) AS at, t.usage::jsonb AS usage
      FROM %1$s t
), metered AS MATERIALIZED (
    SELECT g.line, g.source, g.model_id, g.provider, g.region, g.plan, g.at,
           b.number, b.meter, b.quantity, b.prompt_tokens, b.note
      FROM given g CROSS JOIN LATERAL mart.billed_quantity(g.usage) b
), best AS (
    -- The highest tier that the prompt reaches.
    SELECT DISTINCT ON (m.line, m.meter)
           m.line, m.meter, v.currency, v.price_state,
           CASE WHEN m.prompt_tokens IS NOT NULL OR v.tier_start = 0 THEN m.quantity * v.unit_price END AS cost,
           m.prompt_tokens IS NULL AND v.tier_start > 0 AS is_unsure
      FROM metered m
      JOIN mart.price_version v
        ON v.source = m.source AND v.model_id = m.model_id AND v.provider = m.provider AND v.region = m.region
       AND v.plan = m.plan AND v.meter = m.meter
       AND v.tier_start <= coalesce(m.prompt_tokens, 'Infinity')
       AND mart.holds(v.valid_from, v.valid_to, v.known_from, v.known_to, v.end_known_from, m.at, $2)
     WHERE m.note IS NULL AND m.quantity > 0
     ORDER BY m.line, m.meter, v.tier_start DESC
), priced AS MATERIALIZED (
    -- What was used; what was not needs no price.
    SELECT m.line, m.number, m.meter, m.at, p.currency, p.cost, p.price_state,
           CASE WHEN m.note IS NOT NULL THEN m.note
                WHEN p.is_unsure THEN 'prompt size unknown'
                WHEN p.price_state = 'dynamic' THEN 'dynamic: the source says that it varies'
                WHEN m.at IS NULL THEN 'no moment given' END AS note
      FROM metered m
      LEFT JOIN best p ON p.line = m.line AND p.meter = m.meter
     WHERE m.note IS NOT NULL OR m.quantity > 0
), unpriced AS MATERIALIZED (
    SELECT DISTINCT g.line, g.source, g.model_id, g.provider, g.region, g.at
      FROM priced p JOIN given g ON g.line = p.line
     WHERE p.price_state IS NULL AND p.note IS NULL
), reason AS (
    SELECT u.line,
           CASE WHEN s.source IS NULL THEN 'source unknown'
                WHEN m.line IS NULL THEN 'model not listed at that time'
                WHEN e.line IS NULL THEN 'endpoint not listed at that time'
                ELSE 'no price published for the meter' END AS note
      FROM unpriced u
      LEFT JOIN mart.source s ON s.source = u.source
      LEFT JOIN (SELECT DISTINCT l.line FROM unpriced l
                   JOIN mart.model_version v
                     ON v.source = l.source AND v.model_id = l.model_id
                    AND mart.holds(v.valid_from, v.valid_to, v.known_from, v.known_to, v.end_known_from, l.at, $2)
                ) m ON m.line = u.line
      LEFT JOIN (SELECT DISTINCT l.line FROM unpriced l
                   JOIN mart.endpoint_version v
                     ON v.source = l.source AND v.model_id = l.model_id AND v.provider = l.provider
                    AND v.region = l.region
                    AND mart.holds(v.valid_from, v.valid_to, v.known_from, v.known_to, v.end_known_from, l.at, $2)
                ) e ON e.line = u.line
), rate AS (
    SELECT r.currency, r.usd, r.valid_from, lead(r.valid_from, 1, 'infinity') OVER
               (PARTITION BY r.currency ORDER BY r.valid_from) AS valid_to
      FROM mart.fx_rate r
), totalled AS (
    SELECT p.line, bool_and(p.cost IS NOT NULL) AS is_whole, sum(p.cost) AS cost, sum(p.cost * r.usd) AS cost_usd,
           bool_and(r.usd IS NOT NULL) AS has_rates,
           min(p.currency COLLATE "C") AS currency, max(p.currency COLLATE "C") AS other_currency,
           string_agg(concat_ws(': ', p.meter, coalesce(p.note, w.note)), '; '
                      ORDER BY p.number, p.meter COLLATE "C") FILTER (WHERE p.cost IS NULL) AS note,
           string_agg(DISTINCT p.currency, ', ') FILTER (WHERE r.usd IS NULL) AS without_rate
      FROM priced p
      LEFT JOIN reason w ON w.line = p.line
      LEFT JOIN rate r ON r.currency = p.currency AND r.valid_from <= p.at AND r.valid_to > p.at
     GROUP BY p.line
), sized AS (
    SELECT m.line, max(m.prompt_tokens) AS prompt_tokens FROM metered m GROUP BY m.line
)
SELECT g.usage_id, g.source, g.model_id, g.provider, g.region, g.at, z.prompt_tokens,
       CASE WHEN z.line IS NULL THEN NULL
            WHEN t.line IS NULL THEN 0
            WHEN t.is_whole AND t.currency = t.other_currency THEN trim_scale(t.cost) END,
       CASE WHEN t.is_whole AND t.currency = t.other_currency THEN t.currency END,
       CASE WHEN z.line IS NULL THEN NULL
            WHEN t.line IS NULL THEN 0
            WHEN t.is_whole AND t.has_rates THEN trim_scale(t.cost_usd) END,
       CASE WHEN z.line IS NULL THEN 'usage is empty'
            WHEN t.line IS NULL THEN 'nothing used'
            WHEN NOT t.is_whole THEN t.note
            WHEN t.cost = 0 THEN 'free'
            ELSE nullif(concat_ws('; ',
                     CASE WHEN t.currency <> t.other_currency
                          THEN format('mixed currencies: %%s, %%s', t.currency, t.other_currency) END,
                     'no rate for ' || t.without_rate), '') END
  FROM given g
  LEFT JOIN sized z ON z.line = g.line
  LEFT JOIN totalled t ON t.line = g.line
 ORDER BY g.line
$statement$, $1, CASE WHEN 'plan' = ANY (present) THEN 't.plan::text' ELSE 'NULL' END)
    USING $2, $3;
END
$function$;

COMMENT ON FUNCTION mart.usage_costs IS
    'One row per row of a table or view of usage, by the rules of usage_cost: at the moment at (UTC), or where that is null each row at its own, as believed at known_at (null: now). It reads the columns usage_id, source, model_id, provider, region, at and usage, and plan where it is there. A row in which anything that was used has no price has no cost, and note says why: never a partial sum.';
