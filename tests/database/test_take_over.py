"""The embedded warehouse has an owner, a loader and a reader; one that a superuser owned is taken along."""

import pytest
from alembic import command
from sqlalchemy import Engine, text

from etl.cli.invocation import upgrade
from etl.database import migrations
from etl.database.cluster import OWNER, SUPERUSER, VIEWER
from etl.database.embedded import EmbeddedServer
from etl.database.engine import database_url, open_engine
from etl.database.loader import LOADER
from tests.database.roles import execute, refused
from tests.load.believing import load
from tests.load.worlds import World

THEIRS = """
CREATE SCHEMA mine;
CREATE TYPE mine.size AS ENUM ('small', 'large');
CREATE TABLE mine.note (number bigint GENERATED ALWAYS AS IDENTITY, size mine.size, said text);
CREATE VIEW mine.prices AS SELECT source, unit_price FROM core.price;
CREATE FUNCTION mine.one() RETURNS integer LANGUAGE sql RETURN 1;
CREATE MATERIALIZED VIEW public.kept AS SELECT 1 AS one;
CREATE SEQUENCE public.numbers
"""

OWNED_BY_A_SUPERUSER = text(
    """
    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
     WHERE r.rolsuper AND c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
    UNION ALL SELECT nspname FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner
     WHERE r.rolsuper AND nspname !~ '^(pg_|information_schema)'
    UNION ALL SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
     WHERE r.rolsuper AND p.pronamespace::regnamespace::text !~ '^(pg_|information_schema)'
    UNION ALL SELECT datname FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba
     WHERE r.rolsuper AND datname = current_database()
    """
)


def as_role(server: EmbeddedServer, role: str) -> Engine:
    return open_engine(database_url(str(server.url(role))))


def _may_make_roles(owner: Engine) -> bool:
    """As an owner may from Postgres 16 on."""
    with owner.connect() as connection:
        return bool(connection.scalar(text("SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user")))


def of_the_version_before(server: EmbeddedServer) -> None:
    """Make the warehouse anew as the version before did: all of it the superuser's, and no other role is there."""
    server.ensure()
    url = database_url(str(server.url(SUPERUSER)))
    with open_engine(url.set(database="postgres")).execution_options(isolation_level="AUTOCOMMIT").connect() as admin:
        for statement in ("DROP DATABASE etl", f"DROP ROLE {OWNER}, {LOADER}, {VIEWER}", "CREATE DATABASE etl"):
            admin.exec_driver_sql(statement)
    with open_engine(url).connect() as connection:
        command.upgrade(migrations.configuration(connection), "0007")
    with open_engine(url).begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA mart; CREATE VIEW mart.price_current AS SELECT * FROM core.price")
    execute(url, THEIRS)
    execute(url, "DROP ROLE IF EXISTS dashboards; CREATE ROLE dashboards LOGIN; GRANT etl_reader TO dashboards")


@pytest.mark.slow
def test_a_warehouse_of_the_version_before_is_taken_along(server: EmbeddedServer) -> None:
    of_the_version_before(server)
    owner = open_engine(database_url(server.ensure()))
    upgrade(owner)
    assert migrations.is_current(owner)
    with owner.connect() as connection:
        assert connection.scalars(OWNED_BY_A_SUPERUSER).all() == []
        assert connection.scalar(text("SELECT current_user")) == OWNER
    if _may_make_roles(owner):
        execute(
            owner.url, "ALTER ROLE dashboards PASSWORD 'another'; CREATE ROLE alice LOGIN; GRANT etl_reader TO alice"
        )
    # What people made there is still theirs to use and to change.
    execute(
        owner.url, "INSERT INTO mine.note (size, said) VALUES ('small', 'x'); ALTER TYPE mine.size ADD VALUE 'other'"
    )
    execute(owner.url, "DROP MATERIALIZED VIEW public.kept; SELECT nextval('public.numbers'); DROP SCHEMA mine CASCADE")
    assert load(as_role(server, LOADER), "s", 0, World({"openai/m": ("A", {"prompt": "1"})})).is_well


def test_no_role_that_is_used_is_a_superuser_and_the_reader_has_limits(server: EmbeddedServer) -> None:
    upgrade(open_engine(database_url(server.ensure())))
    loader, viewer = as_role(server, LOADER), as_role(server, VIEWER)
    assert load(loader, "s", 0, World({"openai/m": ("A", {"prompt": "1"})})).is_well
    with viewer.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM mart.price_current")) == 1
        supers = text("SELECT rolname FROM pg_roles WHERE rolsuper OR rolreplication OR rolbypassrls")
        assert connection.scalars(supers).all() == [SUPERUSER]
        assert connection.scalar(text("SHOW statement_timeout")) == "1min"
    for statement in (
        "SELECT FROM core.price",
        "CREATE TEMPORARY TABLE much (one integer)",
        "SELECT lo_from_bytea(0, 'much')",
        # Each takes a place in a table of locks that all sessions share.
        "SELECT pg_advisory_lock(number) FROM generate_series(1, 100000) number",
        "SET temp_file_limit = -1",
        "CREATE TABLE public.mine (one integer)",
    ):
        assert refused(viewer, statement), statement
    for engine in (loader, viewer):
        assert refused(engine, "CREATE ROLE mine"), engine
        assert refused(engine, f"SET ROLE {OWNER}"), engine
        assert refused(engine, "SELECT pg_read_file('PG_VERSION')"), engine


def test_the_passwords_of_the_roles_differ_and_stay(server: EmbeddedServer) -> None:
    server.ensure()
    cluster = server.cluster
    passwords = [cluster.password(role) for role in (SUPERUSER, OWNER, LOADER, VIEWER)]
    assert len(set(passwords)) == len(passwords)
    server.stop()
    server.ensure()
    assert [cluster.password(role) for role in (SUPERUSER, OWNER, LOADER, VIEWER)] == passwords
