-- One row per problem of a source that was found, with since when it holds, when it was told last, and when it ended.
CREATE VIEW mart.alert AS
SELECT a.source, a.problem, a.opened_at, a.told_at, a.resolved_at, a.count, a.example
  FROM core.alert a;

COMMENT ON VIEW mart.alert IS
    'One row per problem of a source that was found, with since when it holds, when it was told last, and when it ended.';
