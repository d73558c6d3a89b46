-- The login of the dashboards, which reads the mart and nothing else; run by psql each time before they start.
\set password `cat /run/secrets/reader_password`
SELECT 'CREATE ROLE dashboards' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'dashboards') \gexec
ALTER ROLE dashboards LOGIN PASSWORD :'password';
-- What `etl db grant dashboards` says.
GRANT etl_reader TO dashboards;
-- A question that is forgotten ends by itself; of connections and of the disk it has a part. The last one only a
-- superuser may set, and nobody else may change.
ALTER ROLE dashboards SET statement_timeout = '60s';
ALTER ROLE dashboards SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE dashboards CONNECTION LIMIT 20;
ALTER ROLE dashboards SET temp_file_limit = '1GB';
