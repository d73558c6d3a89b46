-- The roles of the warehouse, with the passwords of the urls that name them: an owner, who migrates, and a loader. Run by
-- psql as the superuser each time before the migration; a warehouse that the superuser owned is given to the owner.
\set owner_password `sed 's/.*:\([^:@]*\)@.*/\1/' /run/secrets/owner_url`
\set loader_password `sed 's/.*:\([^:@]*\)@.*/\1/' /run/secrets/database_url`
SELECT format('CREATE ROLE %I', name) FROM unnest(ARRAY['etl_reader', 'etl_owner', 'etl_loader']) name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE etl_owner LOGIN PASSWORD :'owner_password';
ALTER ROLE etl_loader LOGIN PASSWORD :'loader_password';
GRANT etl_reader TO etl_owner WITH ADMIN OPTION;
\i /etc/take_over.sql
