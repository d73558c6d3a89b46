-- One row per kind of source and moment from which its margin holds.
CREATE VIEW mart.margin AS
SELECT kind, valid_from, factor, origin
  FROM core.margin;

COMMENT ON VIEW mart.margin IS
    'One row per kind of source and moment from which its margin holds: by what gateways of that kind multiply what their providers charge. '
    'Margins are configuration with an origin, not facts of a catalog.';
