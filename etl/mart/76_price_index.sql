-- One row per source and day (UTC): what its basket of models costs, chained from day to day; * is all sources together.
CREATE VIEW mart.price_index AS
WITH span AS (
    -- The days of each source whose basket ever held anything: from its first snapshot that counts to its last.
    SELECT s.source, timezone('UTC', begun.observed_at)::date AS first_day,
           timezone('UTC', ended.observed_at)::date AS last_day
      FROM core.source s
     CROSS JOIN LATERAL (SELECT c.observed_at FROM core.snapshot c
                          WHERE c.source = s.source AND c.status IN ('loaded', 'unchanged')
                          ORDER BY c.observed_at LIMIT 1) begun
     CROSS JOIN LATERAL (SELECT c.observed_at FROM core.snapshot c
                          WHERE c.source = s.source AND c.status IN ('loaded', 'unchanged') AND c.observed_at <= now()
                          ORDER BY c.observed_at DESC LIMIT 1) ended
     WHERE EXISTS (SELECT FROM core.basket_move m WHERE m.source = s.source)
), move AS (
    SELECT m.source, m.day, m.entered, m.gone, m.changed, m.log_ratio
      FROM core.basket_move m
      JOIN span ON span.source = m.source AND m.day <= span.last_day
), basket AS (
    SELECT m.source, m.day, m.entered, m.gone, m.changed, m.log_ratio FROM move m
    UNION ALL
    SELECT '*', m.day, m.entered, m.gone, m.changed, m.log_ratio FROM move m
    UNION ALL
    -- After its last snapshot nothing is known of a source: all that it has left leaves the common basket.
    SELECT '*', span.last_day + 1, 0, sum(m.entered - m.gone), 0, 0
      FROM span JOIN move m ON m.source = span.source
     GROUP BY span.source, span.last_day
), calendar AS (
    SELECT span.source, span.first_day, span.last_day FROM span
    UNION ALL
    SELECT '*', min(span.first_day), max(span.last_day) FROM span HAVING count(*) > 0
), daily AS (
    SELECT c.source, c.first_day, c.first_day + n AS day, coalesce(sum(b.entered), 0) AS entered,
           coalesce(sum(b.gone), 0) AS gone, coalesce(sum(b.changed), 0) AS changed,
           coalesce(sum(b.log_ratio), 0) AS log_ratio
      FROM calendar c
     CROSS JOIN generate_series(0, c.last_day - c.first_day) n
      LEFT JOIN basket b ON b.source = c.source AND b.day = c.first_day + n
     GROUP BY c.source, c.first_day, n
), counted AS (
    SELECT d.source, d.first_day, d.day, d.entered, d.gone, d.changed, d.log_ratio,
           sum(d.entered - d.gone) OVER (PARTITION BY d.source ORDER BY d.day) AS items
      FROM daily d
)
SELECT c.source, c.day,
       -- Those that did not enter were there the day before, too: the link is their geometric mean.
       round((100 * exp(sum(CASE WHEN c.items > c.entered THEN c.log_ratio / (c.items - c.entered)::double precision
                                 ELSE 0 END) OVER (PARTITION BY c.source ORDER BY c.day)))::numeric, 6) AS index,
       c.items::integer AS items,
       CASE WHEN c.day > c.first_day THEN c.entered ELSE 0 END::integer AS entered,
       c.gone::integer AS gone,
       c.changed::integer AS changed
  FROM counted c;

COMMENT ON VIEW mart.price_index IS
    'One row per source and day (UTC), * being all sources together: a chained index of prices, 100 on the first day. The '
    'basket: endpoints that on both days have a price above 0 for input_token and for output_token (plan standard, base '
    'tier) in a currency with a known rate; an item costs (3 x input + 1 x output) / 4; the link from day to day is the '
    'geometric mean of new over old, both at the rate of the later day, so that no exchange rate moves the index.';
