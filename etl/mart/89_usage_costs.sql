-- One row per row of a table of usage, with what it costs at its own moment or at one moment for all.
CREATE FUNCTION mart.usage_costs(usage_table regclass, at timestamptz DEFAULT NULL, known_at timestamptz DEFAULT NULL)
RETURNS TABLE (usage_id text, source text, model_id text, provider text, region text, at timestamptz,
               prompt_tokens numeric, cost numeric, currency text, cost_usd numeric, note text)
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH given AS MATERIALIZED (
        SELECT t.line, t.usage_id, t.source, t.model_id, t.provider, t.region, t.plan, coalesce($2, t.at) AS at, t.usage
          FROM mart.usage_row($1) t
    ), metered AS (
        SELECT g.line, g.source, g.model_id, g.provider, g.region, g.plan, g.at,
               c.number, c.meter, c.is_given, c.count, c.prompt_tokens, c.note, c.part_of, c.priced_as
          FROM given g CROSS JOIN LATERAL mart.counted_meter(g.usage) c
    ), offered AS (
        -- The prices of what was used, as believed then: of the whole history only what can be asked for is joined.
        SELECT v.source, v.model_id, v.provider, v.region, v.plan, v.meter, v.tier_start, v.currency, v.price_state,
               v.unit_price, v.valid_from,
               CASE WHEN v.end_known_from <= coalesce($3, 'infinity') THEN v.valid_to END AS valid_to
          FROM mart.price_version v
         WHERE (v.source, v.model_id, v.provider) IN (SELECT g.source, g.model_id, g.provider FROM given g)
           AND v.known_from <= coalesce($3, 'infinity') AND (v.known_to IS NULL OR v.known_to > coalesce($3, 'infinity'))
           AND ($2 IS NULL
                OR v.valid_from <= $2
                   AND (v.valid_to IS NULL OR v.valid_to > $2 OR v.end_known_from > coalesce($3, 'infinity')))
    ), best AS (
        -- The highest tier that the prompt reaches; where its size is unknown, the highest of all.
        SELECT DISTINCT ON (m.line, m.meter COLLATE "C")
               m.line, m.number, m.meter, m.at, m.is_given, m.count, m.prompt_tokens, m.note, m.part_of, m.priced_as,
               v.tier_start, v.currency, v.price_state, v.unit_price, v.valid_from, v.valid_to
          FROM metered m
          LEFT JOIN offered v
                 ON v.source = m.source AND v.model_id = m.model_id AND v.provider = m.provider
                AND v.region = m.region AND v.plan = m.plan AND v.meter = m.meter AND m.note IS NULL
                AND v.tier_start <= coalesce(m.prompt_tokens, 'Infinity')
                AND v.valid_from <= m.at AND (v.valid_to IS NULL OR v.valid_to > m.at)
         ORDER BY m.line, m.meter COLLATE "C", v.tier_start DESC NULLS LAST
    ), gathered AS (
        SELECT b.line, min(b.at) AS at, min(b.prompt_tokens) AS prompt_tokens, array_agg(b.number) AS numbers,
               array_agg(b.meter) AS meters, array_agg(b.is_given) AS is_given, array_agg(b.count) AS counts,
               array_agg(b.note) AS notes, array_agg(b.part_of) AS part_of, array_agg(b.priced_as) AS priced_as,
               array_agg(b.tier_start) AS tiers, array_agg(b.currency) AS currencies,
               array_agg(b.price_state) AS price_states, array_agg(b.unit_price) AS unit_prices,
               array_agg(b.valid_from) AS begins, array_agg(b.valid_to) AS ends
          FROM best b
         GROUP BY b.line
    ), billed AS (
        SELECT g.line, g.at, g.prompt_tokens, g.numbers[place] AS number, g.meters[place] AS meter,
               g.meters[priced.at_place] AS priced_as, g.tiers[priced.at_place] AS tier_start, g.currencies[priced.at_place] AS currency,
               g.price_states[priced.at_place] AS price_state, g.unit_prices[priced.at_place] AS unit_price,
               g.begins[priced.at_place] AS valid_from, g.ends[priced.at_place] AS valid_to,
               coalesce(g.notes[place], b.notes[place]) AS note,
               CASE WHEN g.numbers[place] IS NULL THEN g.counts[place] ELSE b.quantities[place] END AS quantity
          FROM gathered g
         CROSS JOIN LATERAL mart.billed_quantity(g.meters, g.is_given, g.counts, g.price_states, g.part_of, g.priced_as) b
         CROSS JOIN LATERAL generate_subscripts(g.meters, 1) place
         CROSS JOIN LATERAL (SELECT b.price_places[place]) priced (at_place)
         WHERE g.is_given[place]
    ), priced AS MATERIALIZED (
        -- What was not used, or is counted in another meter, needs no price.
        SELECT b.line, b.number, b.meter, b.at, b.prompt_tokens, used.is_used, b.currency,
               b.priced_as, b.tier_start, b.valid_from, b.valid_to,
               CASE WHEN b.note IS NULL AND (b.prompt_tokens IS NOT NULL OR b.tier_start = 0)
                    THEN b.quantity * b.unit_price END AS cost,
               CASE WHEN b.note IS NOT NULL THEN b.note
                    WHEN b.prompt_tokens IS NULL AND b.tier_start > 0 THEN 'prompt size unknown'
                    WHEN b.price_state = 'dynamic' THEN 'dynamic: the source says that it varies'
                    WHEN b.price_state IS NULL AND b.at IS NULL THEN 'no moment given' END AS note
          FROM billed b
         CROSS JOIN LATERAL (SELECT (b.quantity > 0) IS NOT FALSE AS is_used) used
    ), unpriced AS MATERIALIZED (
        SELECT g.line, g.source, g.model_id, g.provider, g.region, g.at
          FROM given g
         WHERE g.line IN (SELECT p.line FROM priced p WHERE p.is_used AND p.cost IS NULL AND p.note IS NULL)
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
                        AND v.valid_from <= l.at AND (v.valid_to IS NULL OR v.valid_to > l.at OR v.end_known_from > coalesce($3, 'infinity'))
                        AND v.known_from <= coalesce($3, 'infinity') AND (v.known_to IS NULL OR v.known_to > coalesce($3, 'infinity'))
                    ) m ON m.line = u.line
          LEFT JOIN (SELECT DISTINCT l.line FROM unpriced l
                       JOIN mart.endpoint_version v
                         ON v.source = l.source AND v.model_id = l.model_id AND v.provider = l.provider
                        AND v.region = l.region
                        AND v.valid_from <= l.at AND (v.valid_to IS NULL OR v.valid_to > l.at OR v.end_known_from > coalesce($3, 'infinity'))
                        AND v.known_from <= coalesce($3, 'infinity') AND (v.known_to IS NULL OR v.known_to > coalesce($3, 'infinity'))
                    ) e ON e.line = u.line
    ), look AS (
        SELECT g.source, g.at, last.observed_at, next.observed_at AS next_at,
               last.observed_at + make_interval(secs => s.max_age_seconds) < g.at AS is_long_ago
          FROM (SELECT DISTINCT each.source, each.at FROM given each) g
          JOIN mart.source s ON s.source = g.source
         CROSS JOIN LATERAL (SELECT o.observed_at FROM mart.observation o
                              WHERE o.source = g.source AND o.observed_at <= g.at
                                AND o.known_at <= coalesce($3, 'infinity')
                              ORDER BY o.observed_at DESC LIMIT 1) last
          LEFT JOIN LATERAL (SELECT o.observed_at FROM mart.observation o
                              WHERE o.source = g.source AND o.observed_at > g.at
                                AND o.known_at <= coalesce($3, 'infinity')
                              ORDER BY o.observed_at LIMIT 1) next ON true
    ), unseen AS MATERIALIZED (
        SELECT DISTINCT u.source, u.model_id, u.provider, u.region, u.plan, u.meter, u.tier_start
          FROM mart.unseen_version u
    ), doubted AS MATERIALIZED (
        -- Asked about is only a price that no look near by or after shows, or that a look could not show; between two
        -- looks the answer for one version is the same, so that the first moment stands for all.
        SELECT p.line, g.source, g.model_id, g.provider, g.region, g.plan, p.priced_as, p.tier_start,
               CASE WHEN u.source IS NULL
                    THEN min(g.at) OVER (PARTITION BY g.source, g.model_id, g.provider, g.region, g.plan, p.priced_as,
                                                      p.tier_start, p.valid_from, l.observed_at)
                    ELSE g.at END AS at
          FROM priced p
          JOIN given g ON g.line = p.line
          JOIN look l ON l.source = g.source AND l.at = g.at
          LEFT JOIN unseen u
                 ON (u.source, u.model_id, u.provider, u.region, u.plan, u.meter, u.tier_start)
                  = (g.source, g.model_id, g.provider, g.region, g.plan, p.priced_as, p.tier_start)
         WHERE p.is_used AND p.cost IS NOT NULL
           AND (u.source IS NOT NULL
                OR l.is_long_ago AND (l.next_at IS NULL OR p.valid_to <= l.next_at))
    ), answer AS MATERIALIZED (
        SELECT d.source, d.model_id, d.provider, d.region, d.plan, d.priced_as, d.tier_start, d.at,
               mart.last_seen_note(d.source, d.model_id, d.provider, d.region, d.plan, d.priced_as, d.tier_start,
                                   d.at, $3) AS note
          FROM (SELECT DISTINCT e.source, e.model_id, e.provider, e.region, e.plan, e.priced_as, e.tier_start, e.at
                  FROM doubted e) d
    ), seen AS (
        SELECT d.line, min(a.note) AS note
          FROM doubted d
          JOIN answer a USING (source, model_id, provider, region, plan, priced_as, tier_start, at)
         GROUP BY d.line
    ), rate AS (
        SELECT r.currency, r.usd, coalesce(r.valid_from, '-infinity') AS valid_from,
               lead(r.valid_from) OVER (PARTITION BY r.currency ORDER BY r.valid_from NULLS FIRST) AS valid_to
          FROM mart.fx_rate r
    ), totalled AS (
        SELECT p.line, min(p.prompt_tokens) AS prompt_tokens, bool_or(p.is_used) AS is_used,
               bool_and(p.cost IS NOT NULL OR NOT p.is_used) AS is_whole,
               bool_and(r.usd IS NOT NULL OR NOT p.is_used) AS has_rates,
               sum(p.cost) AS cost, sum(p.cost * r.usd) AS cost_usd,
               min(p.currency COLLATE "C") FILTER (WHERE p.is_used) AS currency,
               max(p.currency COLLATE "C") FILTER (WHERE p.is_used) AS other_currency,
               min(p.currency COLLATE "C") FILTER (WHERE p.is_used AND r.usd IS NULL) AS currency_without_rate,
               string_agg(concat_ws(': ', p.meter, coalesce(p.note, w.note)), '; '
                          ORDER BY p.number, p.meter COLLATE "C") FILTER (WHERE p.is_used AND p.cost IS NULL) AS note
          FROM priced p
          LEFT JOIN reason w ON w.line = p.line
          LEFT JOIN rate r
                 ON r.currency = p.currency AND r.valid_from <= p.at AND (r.valid_to IS NULL OR r.valid_to > p.at)
         GROUP BY p.line
    )
    SELECT g.usage_id, g.source, g.model_id, g.provider, g.region, g.at, t.prompt_tokens,
           CASE WHEN NOT t.is_used THEN 0
                WHEN t.is_whole AND t.currency = t.other_currency THEN trim_scale(t.cost) END,
           CASE WHEN t.is_whole AND t.currency = t.other_currency THEN t.currency END,
           CASE WHEN NOT t.is_used THEN 0
                WHEN t.is_whole AND t.has_rates THEN trim_scale(t.cost_usd) END,
           nullif(concat_ws('; ',
               CASE WHEN t.line IS NULL THEN 'usage is empty'
                    WHEN NOT t.is_used THEN 'nothing used'
                    WHEN NOT t.is_whole THEN t.note
                    ELSE nullif(concat_ws('; ',
                             CASE WHEN t.currency <> t.other_currency
                                  THEN format('mixed currencies: %s, %s', t.currency, t.other_currency) END,
                             'no rate for ' || t.currency_without_rate,
                             CASE WHEN t.cost = 0 THEN 'free' END,
                             seen.note), '') END,
               CASE WHEN jsonb_typeof(g.usage -> 'note') = 'string' THEN g.usage ->> 'note' END), '')
      FROM given g
      LEFT JOIN totalled t ON t.line = g.line
      LEFT JOIN seen ON seen.line = g.line
     ORDER BY g.line;
END;

COMMENT ON FUNCTION mart.usage_costs IS
    'One row per row of a table or view of usage, by the rules of usage_cost: at the moment at (UTC), or where that is null each row at its own, as believed at known_at (null: now). It reads the columns usage_id, source, model_id, provider, region, at and usage, and plan where it is there. A row in which anything that was used has no price has no cost, and note says why: never a partial sum.';
