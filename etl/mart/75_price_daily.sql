-- One row per price and day (UTC) at whose end it was in force, as believed now.
CREATE VIEW mart.price_daily AS
SELECT p.source, p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start, calendar.day,
       p.currency, p.price_state, p.unit_price,
       CASE WHEN p.meter LIKE '%\_token' THEN trim_scale(p.unit_price * rate.usd * 1000000) END AS usd_per_million,
       calendar.first_at IS NULL OR u.source IS NOT NULL AS is_carried,
       CASE WHEN p.meter LIKE '%\_token' THEN (p.unit_price * rate.usd * 1000000)::double precision END
           AS usd_per_million_double
  FROM (
    -- The days of each source, from its first snapshot that counts to its last; the moment at which the day is over, and
    -- between which snapshots the day lies. Days are filtered before their snapshots are looked up.
    SELECT s.source, span.first_day + n AS day,
           timezone('UTC', (span.first_day + n + 1)::timestamp) AS until,
           first.observed_at AS first_at, last.observed_at AS last_at
      FROM core.source s
     CROSS JOIN LATERAL (SELECT c.observed_at FROM core.snapshot c
                          WHERE c.source = s.source AND c.status IN ('loaded', 'unchanged')
                          ORDER BY c.observed_at LIMIT 1) begun
     CROSS JOIN LATERAL (SELECT c.observed_at FROM core.snapshot c
                          WHERE c.source = s.source AND c.status IN ('loaded', 'unchanged') AND c.observed_at <= now()
                          ORDER BY c.observed_at DESC LIMIT 1) ended
     CROSS JOIN LATERAL (SELECT timezone('UTC', begun.observed_at)::date AS first_day, ended.observed_at AS last_at) span
     CROSS JOIN generate_series(0, timezone('UTC', span.last_at)::date - span.first_day) n
      LEFT JOIN LATERAL (SELECT c.observed_at FROM core.snapshot c
                          WHERE c.source = s.source AND c.status IN ('loaded', 'unchanged')
                            AND c.observed_at >= timezone('UTC', (span.first_day + n)::timestamp)
                            AND c.observed_at < timezone('UTC', (span.first_day + n + 1)::timestamp)
                          ORDER BY c.observed_at LIMIT 1) first ON true
      LEFT JOIN LATERAL (SELECT c.observed_at FROM core.snapshot c
                          WHERE c.source = s.source AND c.status IN ('loaded', 'unchanged')
                            AND c.observed_at >= timezone('UTC', (span.first_day + n)::timestamp)
                            AND c.observed_at < timezone('UTC', (span.first_day + n + 1)::timestamp)
                          ORDER BY c.observed_at DESC LIMIT 1) last ON true
  ) calendar
  JOIN core.price p
    ON p.source = calendar.source AND p.known_to IS NULL
   AND p.valid_from < calendar.until AND (p.valid_to IS NULL OR p.valid_to >= calendar.until)
  -- What no snapshot of the day could show was carried on from before the first of them to beyond the last.
  LEFT JOIN core.unseen u
         ON (u.source, u.model_id, u.provider, u.region, u.plan, u.meter, u.tier_start)
          = (p.source, p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start)
        AND u.known_to IS NULL
        AND u.valid_from <= calendar.first_at AND (u.valid_to IS NULL OR u.valid_to > calendar.last_at)
  LEFT JOIN (SELECT r.currency, r.usd, r.valid_from,
                    lead(r.valid_from) OVER (PARTITION BY r.currency ORDER BY r.valid_from) AS valid_to
               FROM core.fx_rate r) rate
         ON rate.currency = p.currency
        AND rate.valid_from < calendar.until AND (rate.valid_to IS NULL OR rate.valid_to >= calendar.until);

COMMENT ON VIEW mart.price_daily IS
    'One row per price and day (UTC) at whose end it was in force, as believed now, at the rate of that moment. Nothing is '
    'said of days before the first snapshot of a source, or after its last: there the day ends with the last snapshot.';
