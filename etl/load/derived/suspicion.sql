-- Which prices look like mistakes, and why: every version in history of the models in :items, or of all where that is
-- null. A price is compared with others twice, at the first moment at which they were there and at its last (or now),
-- so that a seller who only moves first or last is not suspect.
WITH RECURSIVE seller AS MATERIALIZED (
    SELECT e.provider, core.provider_key(e.provider) AS seller
      FROM (SELECT DISTINCT provider FROM core.endpoint WHERE known_to IS NULL) e
), offer AS MATERIALIZED (
    -- An item is a model wherever it is sold. What is not linked is compared within its own source alone.
    SELECT p.version_id, p.source, p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start, p.currency,
           p.unit_price, p.valid_from, coalesce(p.valid_to, '9999-12-31Z') AS valid_until,
           coalesce(p.valid_to, '9999-12-31Z') - interval '1 microsecond' AS last_at,
           coalesce(l.canonical_id, p.source || ' ' || p.model_id) AS item, coalesce(s.seller, p.provider) AS seller
      FROM core.price p
      LEFT JOIN core.model_link l ON l.source = p.source AND l.model_id = p.model_id
      LEFT JOIN seller s ON s.provider = p.provider
     WHERE p.known_to IS NULL AND p.price_state = 'priced'
       AND (CAST(:items AS text[]) IS NULL
            OR coalesce(l.canonical_id, p.source || ' ' || p.model_id) = ANY (CAST(:items AS text[])))
), multiple AS MATERIALIZED (
    -- At the last moment another source asks exactly twice, half, or a power of ten of it, of the same provider.
    SELECT DISTINCT v.version_id
      FROM offer v
      JOIN offer w ON (w.item, w.seller, w.plan, w.meter, w.tier_start, w.currency)
                    = (v.item, v.seller, v.plan, v.meter, v.tier_start, v.currency)
                  AND w.source <> v.source AND w.unit_price <> v.unit_price
                  AND w.valid_from <= v.last_at AND w.valid_until > v.last_at
     WHERE v.unit_price = 2 * w.unit_price OR w.unit_price = 2 * v.unit_price
        OR btrim(replace(v.unit_price::text, '.', ''), '0') = btrim(replace(w.unit_price::text, '.', ''), '0')
), fresh AS MATERIALIZED (
    -- What came in one snapshot with a price that is suspect beside others, and by which factor from the price before.
    SELECT v.version_id, v.source, v.valid_from, v.unit_price / u.unit_price AS factor
      FROM (SELECT DISTINCT f.source, f.valid_from FROM multiple JOIN offer f ON f.version_id = multiple.version_id) taken
      JOIN offer v ON v.source = taken.source AND v.valid_from = taken.valid_from
      JOIN offer u ON (u.source, u.model_id, u.provider, u.region, u.plan, u.meter, u.tier_start, u.currency)
                    = (v.source, v.model_id, v.provider, v.region, v.plan, v.meter, v.tier_start, v.currency)
                  AND u.valid_until = v.valid_from
                  AND abs(v.unit_price - u.unit_price) >= 1e-14 * v.unit_price
), step AS MATERIALIZED (
    -- Both sides of what the history of the source alone calls a step or a slip of the point.
    SELECT v.version_id, last.version_id AS last_version_id, last.unit_price AS last_unit_price,
           ARRAY(SELECT reason FROM unnest(c.suspicion) reason WHERE reason IN ('step', 'power_of_ten')) AS reasons
      FROM core.price_change c
      JOIN offer v ON (v.source, v.model_id, v.provider, v.region, v.plan, v.meter, v.tier_start, v.valid_from)
                    = (c.source, c.model_id, c.provider, c.region, c.plan, c.meter, c.tier_start, c.changed_at)
      LEFT JOIN LATERAL (
        SELECT p.version_id, p.unit_price
          FROM core.price p
         WHERE (p.source, p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start, p.currency)
             = (v.source, v.model_id, v.provider, v.region, v.plan, v.meter, v.tier_start, v.currency)
           AND p.known_to IS NULL AND p.valid_from < v.valid_from
         ORDER BY p.valid_from DESC LIMIT 1) last ON true
     WHERE c.known_to IS NULL AND c.suspicion && '{step,power_of_ten}'
), other AS MATERIALIZED (
    -- What others ask while one of these holds: the same provider elsewhere, and all other providers of the model.
    SELECT v.version_id, v.last_at, o.source, o.seller, o.unit_price, o.valid_until,
           greatest(o.valid_from, v.valid_from) AS from_at, o.seller = v.seller AS is_same, o.source <> v.source AS is_far
      FROM (SELECT version_id FROM multiple
            UNION SELECT version_id FROM step UNION SELECT last_version_id FROM step) judged
      JOIN offer v ON v.version_id = judged.version_id
      JOIN offer o ON (o.item, o.plan, o.meter, o.tier_start, o.currency)
                    = (v.item, v.plan, v.meter, v.tier_start, v.currency)
                  AND o.valid_from < v.valid_until AND o.valid_until > v.valid_from AND o.version_id <> v.version_id
), moment AS (
    SELECT version_id, min(from_at) FILTER (WHERE is_same AND is_far) AS same_at,
           min(from_at) FILTER (WHERE is_far OR NOT is_same) AS any_at, min(last_at) AS last_at
      FROM other
     GROUP BY version_id
), vote AS (
    -- Every source has one vote for each price that it shows of the provider; the price itself has that of its source.
    SELECT m.version_id, m.at, o.unit_price, count(DISTINCT o.source) FILTER (WHERE o.is_same) AS sources,
           count(DISTINCT o.seller) FILTER (WHERE NOT o.is_same) AS sellers,
           bool_or(o.is_same AND o.is_far) AS is_elsewhere
      FROM (SELECT version_id, same_at AS at FROM moment UNION SELECT version_id, last_at FROM moment) m
      JOIN multiple ON multiple.version_id = m.version_id
      JOIN (SELECT version_id, from_at, valid_until, unit_price, source, seller, is_same, is_far FROM other
            UNION ALL
            SELECT v.version_id, v.valid_from, v.valid_until, v.unit_price, v.source, v.seller, true, false
              FROM multiple JOIN offer v ON v.version_id = multiple.version_id) o
        ON o.version_id = m.version_id AND o.from_at <= m.at AND o.valid_until > m.at
     GROUP BY m.version_id, m.at, o.unit_price
), common AS (
    -- Where as many sources show one as the other, the price that more other providers of the model ask counts; then
    -- the higher one, for what was left out of a price (another plan, a factor of thousand) makes it too low.
    SELECT DISTINCT ON (version_id, at) version_id, at, unit_price, is_elsewhere, sources, sellers
      FROM vote
     WHERE sources > 0
     ORDER BY version_id, at, sources DESC, sellers DESC, unit_price DESC
), differing AS (
    SELECT v.version_id, v.source, v.model_id, v.provider, v.region, v.plan, v.meter, v.tier_start,
           c.unit_price AS others_unit_price, v.unit_price / c.unit_price AS factor,
           (c.sources, c.sellers) = (own.sources, own.sellers) AS is_even,
           CASE WHEN c.unit_price = 2 * v.unit_price THEN 'half_of_others'
                WHEN v.unit_price = 2 * c.unit_price THEN 'double_of_others'
                ELSE 'power_of_ten' END AS reason
      FROM common c
      JOIN offer v ON v.version_id = c.version_id AND v.last_at = c.at
      JOIN vote own ON (own.version_id, own.at, own.unit_price) = (v.version_id, c.at, v.unit_price)
     WHERE c.is_elsewhere AND v.unit_price <> c.unit_price
       AND NOT EXISTS (SELECT FROM common f WHERE f.version_id = v.version_id AND f.unit_price = v.unit_price)
       AND (v.unit_price = 2 * c.unit_price OR c.unit_price = 2 * v.unit_price
            OR btrim(replace(v.unit_price::text, '.', ''), '0') = btrim(replace(c.unit_price::text, '.', ''), '0'))
), apart AS (
    -- Where one is as common as the other, half a price is suspect if another meter of the endpoint is half, too.
    SELECT d.version_id, d.reason, d.others_unit_price
      FROM differing d
     WHERE NOT d.is_even OR d.reason = 'power_of_ten'
        OR EXISTS (SELECT FROM differing o
                    WHERE (o.source, o.model_id, o.provider, o.region, o.plan, o.tier_start, o.factor)
                        = (d.source, d.model_id, d.provider, d.region, d.plan, d.tier_start, d.factor)
                      AND o.meter <> d.meter)
), agreed AS MATERIALIZED (
    SELECT DISTINCT f.version_id
      FROM fresh f
      JOIN offer v ON v.version_id = f.version_id
      JOIN offer w ON (w.item, w.seller, w.plan, w.meter, w.tier_start, w.currency)
                    = (v.item, v.seller, v.plan, v.meter, v.tier_start, v.currency)
                  AND w.source <> v.source AND w.unit_price = v.unit_price
                  AND w.valid_from < v.valid_until AND w.valid_until > v.valid_from
), block AS (
    -- Batch prices that a source shows as standard ones, say: where most that can be compared are suspect, all that moved
    -- with them by the same factor are, but those of which another source shows the same.
    SELECT f.source, f.valid_from, f.factor
      FROM fresh f
      LEFT JOIN apart a ON a.version_id = f.version_id
     WHERE a.version_id IS NOT NULL OR f.version_id IN (SELECT version_id FROM agreed)
     GROUP BY f.source, f.valid_from, f.factor
    HAVING count(a.version_id) >= 3 AND 2 * count(a.version_id) > count(*)
), usual AS (
    -- The median of the same provider elsewhere; where there is none, of all other providers.
    SELECT m.version_id, m.at,
           coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY o.unit_price) FILTER (WHERE o.is_same),
                    percentile_disc(0.5) WITHIN GROUP (ORDER BY o.unit_price)) AS unit_price
      FROM (SELECT version_id, any_at AS at FROM moment UNION SELECT version_id, last_at FROM moment) m
      JOIN other o ON o.version_id = m.version_id AND o.from_at <= m.at AND o.valid_until > m.at
     WHERE o.is_far OR NOT o.is_same
     GROUP BY m.version_id, m.at
), beside AS (
    SELECT v.version_id, bool_and(v.unit_price > 3 * u.unit_price OR 3 * v.unit_price < u.unit_price) AS is_off,
           min(u.unit_price) FILTER (WHERE u.at = v.last_at) AS others_unit_price
      FROM usual u
      JOIN offer v ON v.version_id = u.version_id
     GROUP BY v.version_id
), accepted AS MATERIALIZED (
    -- It holds for that price as long as it lasted while the person knew it, however late snapshots divide that time.
    SELECT DISTINCT p.version_id
      FROM core.acceptance a
      JOIN core.price p ON (p.source, p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start)
                         = (a.source, a.model_id, a.provider, a.region, a.plan, a.meter, a.tier_start)
     WHERE a.known_to IS NULL AND p.known_to IS NULL AND p.currency = a.currency AND p.unit_price = a.unit_price
       AND p.valid_from <= a.known_from AND (p.valid_to IS NULL OR p.valid_to > a.valid_from)
), version AS MATERIALIZED (
    -- Every price of the keys that ever made a step, in order.
    SELECT v.version_id, v.unit_price, s.reasons, s.last_unit_price, b.is_off, b.others_unit_price,
           dense_rank() OVER (ORDER BY v.source, v.model_id, v.provider, v.region, v.plan, v.meter, v.tier_start) AS key,
           row_number() OVER k AS place, lead(s.reasons) OVER k AS next_reasons,
           v.version_id IN (SELECT version_id FROM apart) AS is_apart,
           v.version_id IN (SELECT version_id FROM accepted) AS is_accepted
      FROM offer v
      LEFT JOIN step s ON s.version_id = v.version_id
      LEFT JOIN beside b ON b.version_id = v.version_id
     WHERE (v.source, v.model_id, v.provider, v.region, v.plan, v.meter, v.tier_start) IN (
            SELECT k.source, k.model_id, k.provider, k.region, k.plan, k.meter, k.tier_start
              FROM step JOIN offer k ON k.version_id = step.version_id)
    WINDOW k AS (PARTITION BY v.source, v.model_id, v.provider, v.region, v.plan, v.meter, v.tier_start
                     ORDER BY v.valid_from)
), walk AS (
    -- Others decide where there are any. Else a step away from a suspect price, or back to one that was none, is right.
    SELECT v.key, v.place, v.version_id, false AS is_step, v.is_apart AND NOT v.is_accepted AS is_suspect,
           CASE WHEN v.is_apart AND NOT v.is_accepted THEN '{}' ELSE ARRAY[v.unit_price] END AS good
      FROM version v
     WHERE v.place = 1
    UNION ALL
    SELECT v.key, v.place, v.version_id, now.is_step, now.is_step OR now.is_apart,
           CASE WHEN now.is_step OR now.is_apart THEN w.good ELSE w.good || v.unit_price END
      FROM walk w
      JOIN version v ON v.key = w.key AND v.place = w.place + 1
     CROSS JOIN LATERAL (
        SELECT NOT v.is_accepted AND v.reasons IS NOT NULL
                   AND coalesce(v.is_off, NOT w.is_suspect AND v.unit_price <> ALL (w.good)) AS is_step,
               v.is_apart AND NOT v.is_accepted AS is_apart) now
), reason AS (
    SELECT v.version_id, unnest(v.reasons) AS reason
      FROM version v JOIN walk w ON w.version_id = v.version_id
     WHERE w.is_step OR v.is_accepted AND v.is_off OR v.place = 1 AND v.is_off
    UNION
    -- The side of a step on which others never were.
    SELECT v.version_id, unnest(v.next_reasons) FROM version v WHERE v.is_off
    UNION
    SELECT version_id, reason FROM apart
    UNION
    SELECT f.version_id, 'moved_with_suspects'
      FROM fresh f
      JOIN block b ON (b.source, b.valid_from, b.factor) = (f.source, f.valid_from, f.factor)
     WHERE f.version_id NOT IN (SELECT version_id FROM apart) AND f.version_id NOT IN (SELECT version_id FROM agreed)
    UNION
    SELECT v.version_id, reason
      FROM core.price_change c
     CROSS JOIN unnest(c.suspicion) reason
      JOIN core.price v ON (v.source, v.model_id, v.provider, v.region, v.plan, v.meter, v.tier_start, v.valid_from)
                         = (c.source, c.model_id, c.provider, c.region, c.plan, c.meter, c.tier_start, c.changed_at)
     WHERE c.known_to IS NULL AND v.known_to IS NULL AND reason NOT IN ('step', 'power_of_ten')
       AND c.suspicion && '{cache_dearer_than_input,truncated}'
    UNION
    -- What a first snapshot shows made no change.
    SELECT p.version_id, 'cache_dearer_than_input'
      FROM offer p
      JOIN core.price i
        ON (i.source, i.model_id, i.provider, i.region, i.plan, i.tier_start, i.currency, i.meter)
         = (p.source, p.model_id, p.provider, p.region, p.plan, p.tier_start, p.currency,
            CASE p.meter WHEN 'cache_read_implicit_token' THEN 'input_token'
                         ELSE replace(p.meter, 'cache_read_', 'input_') END)
     WHERE p.meter LIKE 'cache\_read\_%' AND i.unit_price < p.unit_price AND i.valid_to IS NULL AND i.known_to IS NULL
       AND p.valid_until = '9999-12-31Z'
    UNION
    SELECT p.version_id, 'truncated'
      FROM core.price p
      JOIN core.snapshot n ON n.source = p.source AND n.observed_at = p.valid_from
     WHERE p.price_state = 'free' AND p.meter ~ '_(token|token_hour|character|byte)$' AND p.known_to IS NULL
       AND p.valid_to IS NULL AND n.status IN ('loaded', 'unchanged') AND n.decimals <= 6
    UNION
    -- What is accepted may look like a mistake to the range of its meter alone.
    SELECT version_id, NULL FROM accepted
)
SELECT p.source, p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start, p.valid_from, p.valid_to, p.currency,
       p.unit_price,
       coalesce(array_agg(DISTINCT r.reason ORDER BY r.reason) FILTER (WHERE r.reason IS NOT NULL), '{}') AS reasons,
       min(s.last_unit_price) AS last_unit_price,
       coalesce(min(a.others_unit_price), min(b.others_unit_price)) AS others_unit_price,
       p.version_id IN (SELECT version_id FROM accepted) AS is_accepted
  FROM reason r
  JOIN core.price p ON p.version_id = r.version_id
  LEFT JOIN core.model_link l ON l.source = p.source AND l.model_id = p.model_id
  LEFT JOIN step s ON s.version_id = p.version_id
  LEFT JOIN apart a ON a.version_id = p.version_id
  LEFT JOIN beside b ON b.version_id = p.version_id
 WHERE CAST(:items AS text[]) IS NULL
    OR coalesce(l.canonical_id, p.source || ' ' || p.model_id) = ANY (CAST(:items AS text[]))
 GROUP BY p.version_id
