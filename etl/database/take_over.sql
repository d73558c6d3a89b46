-- Run by a superuser in the database of a warehouse, in one transaction; safe to repeat. Afterwards etl_owner owns the
-- database and everything in it that a superuser owned, and only its roles may keep or lock anything there.
-- Needs the role etl_owner. The program runs it for the embedded server, docker-compose.yml and docs/operations.md do.
DO $$
DECLARE
    statement text;
BEGIN
    -- What an extension or another object brought along goes with that; an identity column's sequence with its table.
    FOR statement IN
        SELECT format('ALTER SCHEMA %I OWNER TO etl_owner', n.nspname)
          FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner
         WHERE r.rolsuper AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        UNION ALL
        SELECT format('ALTER %s %I.%I OWNER TO etl_owner',
                      CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                                     WHEN 'c' THEN 'TYPE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
                      n.nspname, c.relname)
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner
         WHERE r.rolsuper AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                                                     AND d.deptype IN ('a', 'i', 'e'))
        UNION ALL
        SELECT format('ALTER ROUTINE %s OWNER TO etl_owner', p.oid::regprocedure)
          FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles r ON r.oid = p.proowner
         WHERE r.rolsuper AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                                                     AND d.deptype = 'e')
        UNION ALL
        SELECT format('ALTER TYPE %I.%I OWNER TO etl_owner', n.nspname, t.typname)
          FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_roles r ON r.oid = t.typowner
         WHERE r.rolsuper AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND t.typtype IN ('e', 'd', 'r')
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid
                                                     AND d.deptype = 'e')
    LOOP
        EXECUTE statement;
    END LOOP;
    -- Clusters older than 15 let everybody create in public. A temporary table may fill the disk.
    EXECUTE 'REVOKE CREATE ON SCHEMA public FROM PUBLIC';
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    -- Advisory locks, which we have no use for, would fill the table of locks that everybody shares; so would large
    -- objects the disk.
    FOR statement IN
        SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', p.oid::regprocedure)
          FROM pg_proc p
         WHERE p.pronamespace = 'pg_catalog'::regnamespace
           AND (p.proname ~ '^pg_(try_)?advisory_' OR p.proname IN ('lo_creat', 'lo_create', 'lo_from_bytea'))
    LOOP
        EXECUTE statement;
    END LOOP;
    EXECUTE format('ALTER DATABASE %I OWNER TO etl_owner', current_database());
END $$;
