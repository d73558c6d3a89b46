-- Whether a version held at one moment, as believed at another: the two clocks of the *_version views.
CREATE FUNCTION mart.holds(valid_from timestamptz, valid_to timestamptz, known_from timestamptz, known_to timestamptz,
                           end_known_from timestamptz, at timestamptz, known_at timestamptz)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT $1 <= $6 AND $3 <= coalesce($7, 'infinity')
       AND ($4 IS NULL OR $4 > coalesce($7, 'infinity'))
       AND ($2 IS NULL OR $2 > $6 OR $5 > coalesce($7, 'infinity'));
END;

COMMENT ON FUNCTION mart.holds IS
    'Whether a version of a *_version view held at the moment at (UTC), as believed at known_at (null: now).';
