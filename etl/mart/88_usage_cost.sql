-- One row per meter of one usage, with what it costs at one moment, as believed at another.
CREATE FUNCTION mart.usage_cost(source text, model_id text, provider text, region text, usage jsonb,
                                at timestamptz DEFAULT now(), known_at timestamptz DEFAULT NULL,
                                plan text DEFAULT 'standard')
RETURNS TABLE (meter text, quantity numeric, tier_start bigint, unit_price numeric, currency text, cost numeric,
               note text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT b.meter, b.quantity, p.tier_start, p.unit_price, p.currency, trim_scale(b.quantity * p.unit_price),
           CASE WHEN b.note IS NOT NULL THEN b.note
                WHEN p.price_state = 'priced' THEN NULL
                WHEN p.price_state = 'free' THEN 'free'
                WHEN p.price_state = 'dynamic' THEN 'dynamic: the source says that it varies'
                WHEN best.tier_start IS NOT NULL THEN 'prompt size unknown'
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
                ELSE 'no price published for the meter' END
      FROM mart.billed_quantity($5) b
      LEFT JOIN LATERAL (
        SELECT v.tier_start, v.currency, v.price_state, v.unit_price
          FROM mart.price_version v
         WHERE v.source = $1 AND v.model_id = $2 AND v.provider = $3 AND v.region = coalesce($4, '*')
           AND v.plan = coalesce($8, 'standard') AND v.meter = b.meter AND b.note IS NULL
           AND v.tier_start <= coalesce(b.prompt_tokens, 'Infinity')
           AND v.valid_from <= $6 AND (v.valid_to IS NULL OR v.valid_to > $6 OR v.end_known_from > coalesce($7, 'infinity'))
           AND v.known_from <= coalesce($7, 'infinity') AND (v.known_to IS NULL OR v.known_to > coalesce($7, 'infinity'))
         ORDER BY v.tier_start DESC
         LIMIT 1) best ON true
      -- Where the size of the prompt is unknown, only a price without tiers is the price.
      LEFT JOIN LATERAL (SELECT best.tier_start, best.currency, best.price_state, best.unit_price) p
             ON b.prompt_tokens IS NOT NULL OR best.tier_start = 0
     ORDER BY b.number NULLS LAST, b.meter COLLATE "C";
END;

COMMENT ON FUNCTION mart.usage_cost IS
    'One row per meter of a usage (an object from meters to counts), with what it costs at the moment at (UTC), as believed at known_at (null: now). The tier goes by the size of the prompt, bound included, and prices the whole request; cached and written tokens are taken out of the input. Where there is no price the cost is null and note says why: sum with care. region null means *.';
