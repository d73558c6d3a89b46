-- The login of the dashboards, which reads the mart and nothing else; run by psql each time before they start.
\set password `cat /run/secrets/reader_password`
SELECT 'CREATE ROLE dashboards' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'dashboards') \gexec
ALTER ROLE dashboards LOGIN PASSWORD :'password';
-- What `etl db grant dashboards` says.
GRANT etl_reader TO dashboards;
