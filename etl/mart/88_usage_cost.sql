-- One row per meter of one usage, with what it costs at one moment, as believed at another.
CREATE FUNCTION mart.usage_cost(source text, model_id text, provider text, region text, usage jsonb,
                                at timestamptz DEFAULT now(), known_at timestamptz DEFAULT NULL,
                                plan text DEFAULT 'standard')
RETURNS TABLE (meter text, quantity numeric, tier_start bigint, unit_price numeric, currency text, cost numeric,
               note text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH counted AS MATERIALIZED (
        SELECT c.number, c.meter, c.is_given, c.count, c.prompt_tokens, c.note, c.part_of, c.priced_as,
               v.tier_start, v.currency, v.price_state, v.unit_price
          FROM mart.counted_meter($5) c
          LEFT JOIN LATERAL (
            SELECT v.tier_start, v.currency, v.price_state, v.unit_price
              FROM mart.price_version v
             WHERE v.source = $1 AND v.model_id = $2 AND v.provider = $3 AND v.region = coalesce($4, '*')
               AND v.plan = coalesce($8, 'standard') AND v.meter = c.meter AND c.note IS NULL
               AND v.tier_start <= coalesce(c.prompt_tokens, 'Infinity')
               AND v.valid_from <= $6 AND (v.valid_to IS NULL OR v.valid_to > $6 OR v.end_known_from > coalesce($7, 'infinity'))
               AND v.known_from <= coalesce($7, 'infinity') AND (v.known_to IS NULL OR v.known_to > coalesce($7, 'infinity'))
             ORDER BY v.tier_start DESC
             LIMIT 1) v ON true
    ), gathered AS (
        SELECT array_agg(c.number) AS numbers, array_agg(c.meter) AS meters, array_agg(c.is_given) AS is_given,
               array_agg(c.count) AS counts, array_agg(c.price_state) AS price_states, array_agg(c.note) AS notes,
               array_agg(c.part_of) AS part_of, array_agg(c.priced_as) AS priced_as
          FROM (SELECT * FROM counted ORDER BY meter COLLATE "C") c
    ), billed AS (
        SELECT g.numbers[place] AS number, g.meters[place] AS meter, g.meters[b.price_places[place]] AS priced_as,
               CASE WHEN g.notes[place] IS NULL THEN g.meters[b.kept_in[place]] END AS kept_in,
               CASE WHEN g.numbers[place] IS NULL THEN g.counts[place] ELSE b.quantities[place] END AS quantity,
               coalesce(g.notes[place], b.notes[place]) AS note
          FROM gathered g
         CROSS JOIN LATERAL mart.billed_quantity(g.meters, g.is_given, g.counts, g.price_states, g.part_of, g.priced_as) b
         CROSS JOIN LATERAL generate_subscripts(g.meters, 1) place
         WHERE g.is_given[place]
    ), doubt AS MATERIALIZED (
        -- Only a price that the last look is too old for, or that a look could not show, is asked about.
        SELECT last.observed_at + make_interval(secs => s.max_age_seconds) < $6
               OR EXISTS (SELECT FROM mart.unseen_version u
                           WHERE u.source = $1 AND u.model_id = $2 AND u.provider = $3) AS is_needed
          FROM mart.source s
         CROSS JOIN LATERAL (SELECT o.observed_at FROM mart.observation o
                              WHERE o.source = $1 AND o.observed_at <= $6 AND o.known_at <= coalesce($7, 'infinity')
                              ORDER BY o.observed_at DESC LIMIT 1) last
         WHERE s.source = $1
    ), answered AS (
        SELECT b.number, b.meter, b.quantity, p.tier_start, p.unit_price, p.currency,
               CASE WHEN b.kept_in IS NOT NULL AND b.note IS NULL THEN 0 ELSE trim_scale(b.quantity * p.unit_price) END AS cost,
               CASE WHEN b.note IS NOT NULL THEN b.note
                    WHEN b.kept_in IS NOT NULL THEN format('counted in %s: no price of its own', b.kept_in)
                    WHEN p.price_state IN ('priced', 'free')
                    THEN nullif(concat_ws('; ',
                             CASE WHEN p.price_state = 'free' THEN 'free'
                                  WHEN b.priced_as <> b.meter THEN format('at the price of %s: none of its own', b.priced_as) END,
                             CASE WHEN (SELECT d.is_needed FROM doubt d)
                                  THEN mart.last_seen_note($1, $2, $3, coalesce($4, '*'), coalesce($8, 'standard'),
                                                           b.priced_as, p.tier_start, $6, $7) END), '')
                    WHEN p.price_state = 'dynamic' THEN 'dynamic: the source says that it varies'
                    WHEN b.priced_as IS NOT NULL THEN 'prompt size unknown'
                    WHEN $6 IS NULL THEN 'no moment given'
                    WHEN NOT EXISTS (SELECT FROM mart.source s WHERE s.source = $1) THEN 'source unknown'
                    WHEN NOT EXISTS (SELECT FROM mart.model_version v
                                      WHERE v.source = $1 AND v.model_id = $2
                                        AND v.valid_from <= $6 AND (v.valid_to IS NULL OR v.valid_to > $6 OR v.end_known_from > coalesce($7, 'infinity'))
                                        AND v.known_from <= coalesce($7, 'infinity') AND (v.known_to IS NULL OR v.known_to > coalesce($7, 'infinity')))
                    THEN 'model not listed at that time'
                    WHEN NOT EXISTS (SELECT FROM mart.endpoint_version v
                                      WHERE v.source = $1 AND v.model_id = $2 AND v.provider = $3
                                        AND v.region = coalesce($4, '*')
                                        AND v.valid_from <= $6 AND (v.valid_to IS NULL OR v.valid_to > $6 OR v.end_known_from > coalesce($7, 'infinity'))
                                        AND v.known_from <= coalesce($7, 'infinity') AND (v.known_to IS NULL OR v.known_to > coalesce($7, 'infinity')))
                    THEN 'endpoint not listed at that time'
                    ELSE 'no price published for the meter' END AS note, false AS is_remark
          FROM billed b
          -- Where the size of the prompt is unknown, only a price without tiers is the price.
          LEFT JOIN counted p
                 ON p.meter = b.priced_as AND b.kept_in IS NULL AND b.note IS NULL
                AND (p.prompt_tokens IS NOT NULL OR p.tier_start = 0)
        UNION ALL
        SELECT NULL, 'note', NULL, NULL, NULL, NULL, CASE WHEN EXISTS (SELECT FROM counted) THEN 0 END, $5 ->> 'note', true
         WHERE jsonb_typeof($5 -> 'note') = 'string'
    )
    SELECT a.meter, a.quantity, a.tier_start, a.unit_price, a.currency, a.cost, a.note
      FROM answered a
     ORDER BY a.is_remark, a.number NULLS LAST, a.meter COLLATE "C";
END;

COMMENT ON FUNCTION mart.usage_cost IS
    'One row per meter of a usage (an object from meters to counts), with what it costs at the moment at (UTC), as believed at known_at (null: now). The tier goes by the size of the prompt, bound included, and prices the whole request. A part with a price of its own is taken out of its whole, a part without one is billed in it and costs 0 by itself: nothing is billed twice. A price that was not confirmed within max_age of its source has its cost and the note last seen. Where there is no price the cost is null and note says why: sum with care. region null means *.';
