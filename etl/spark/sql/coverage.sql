-- How far snapshots can be believed that they show all, in runs. `providers` is null where a snapshot does not tell.
SELECT source, first, last, told.*
  FROM (SELECT source, first, last,
               from_json(value,
                         'is_complete boolean, providers array<string>, lists_providers boolean, lists_authors boolean',
                         map('mode', 'FAILFAST')) AS told
          FROM {piece}
         WHERE relation = 'coverage')
