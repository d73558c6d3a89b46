-- One row per kind of source and moment from which its margin holds.
-- What always held has no beginning: not every program can read an infinite time.
CREATE VIEW mart.margin AS
SELECT kind, nullif(valid_from, '-infinity') AS valid_from, factor, origin
  FROM core.margin;

COMMENT ON VIEW mart.margin IS
    'One row per kind of source and moment from which its margin holds: by what gateways of that kind multiply what their providers charge. '
    'Margins are configuration with an origin, not facts of a catalog.';
