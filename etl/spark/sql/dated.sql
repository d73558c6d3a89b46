-- Versions with the times of the snapshots at which they begin and end, instead of their ordinals.
SELECT version.* EXCEPT (valid_from, valid_to), since.observed_at AS valid_from, until.observed_at AS valid_to
  FROM {version} version
  JOIN {tick} since ON since.source = version.source AND since.ordinal = version.valid_from
  LEFT JOIN {tick} until ON until.source = version.source AND until.ordinal = version.valid_to
