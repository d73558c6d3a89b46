-- One row per snapshot that was attempted, with what became of it.
CREATE VIEW mart.snapshot AS
SELECT c.snapshot_id, c.source, c.observed_at, r.landed_at, r.origin, c.status, c.reason, c.is_complete,
       c.models, c.endpoints, c.prices, c.opened, c.closed,
       (SELECT coalesce(sum(b.size), 0)::bigint
          FROM raw.page p JOIN raw.content b ON b.sha256 = p.sha256
         WHERE p.snapshot_id = c.snapshot_id) AS bytes
  FROM core.snapshot c
  JOIN raw.snapshot r ON r.snapshot_id = c.snapshot_id;

COMMENT ON VIEW mart.snapshot IS 'One row per snapshot that was attempted, with what became of it.';
