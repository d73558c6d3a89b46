"""Migrations go up and down, agree with the tables of the code, and an older schema is recognised."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import URL, Engine, text

from etl.database import migrations
from etl.database.engine import database_url, open_engine, require_reachable
from etl.errors import ConfigurationError, DatabaseError
from etl.load import relations


def _objects(engine: Engine) -> list[str]:
    """Every relation, constraint, function and trigger of our schemas."""
    query = text(
        """
        SELECT n.nspname || ' ' || c.relkind::text || ' ' || c.relname FROM pg_class c JOIN pg_namespace n
            ON n.oid = c.relnamespace WHERE n.nspname IN ('raw', 'core')
        UNION ALL SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
            WHERE connamespace::regnamespace::text IN ('raw', 'core')
        UNION ALL SELECT 'trigger ' || tgrelid::regclass || ' ' || tgname FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT 'function ' || oid::regprocedure FROM pg_proc
            WHERE pronamespace::regnamespace::text IN ('raw', 'core')
        ORDER BY 1
        """
    )
    with engine.connect() as connection:
        return list(connection.scalars(query))


def test_every_migration_goes_down_and_up_again(empty_url: URL) -> None:
    engine = open_engine(empty_url)
    migrations.upgrade(engine)
    after_up = _objects(engine)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA mart CASCADE"))
    with engine.connect() as connection:
        command.downgrade(migrations.configuration(connection), "base")
    assert _objects(engine) == []
    migrations.upgrade(engine)
    assert _objects(engine) == after_up


def test_the_tables_of_the_code_are_those_of_the_database(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "compare_type": True,
                "include_name": lambda name, kind, _: kind != "schema" or name in ("raw", "core"),
            },
        )
        assert compare_metadata(context, relations.metadata) == []


def test_an_older_schema_is_refused_and_the_remedy_named(empty_url: URL) -> None:
    engine = open_engine(empty_url)
    with pytest.raises(DatabaseError, match="etl db upgrade"):
        migrations.require_current(engine)


def test_a_newer_schema_is_refused(owner_engine: Engine) -> None:
    with owner_engine.begin() as connection:
        connection.execute(text("UPDATE public.schema_revision SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="newer than this program"):
        migrations.upgrade(owner_engine)


def test_a_mart_of_another_version_is_replaced(owner_engine: Engine) -> None:
    with owner_engine.begin() as connection:
        connection.execute(text("COMMENT ON SCHEMA mart IS 'mart of before'"))
        connection.execute(text("CREATE VIEW mart.left_over AS SELECT 1 AS one"))
    assert not migrations.is_current(owner_engine)
    migrations.upgrade(owner_engine)
    assert migrations.is_current(owner_engine)
    with owner_engine.connect() as connection:
        assert connection.scalar(text("SELECT to_regclass('mart.left_over')")) is None


def test_what_others_were_granted_outlives_the_replacement(owner_engine: Engine) -> None:
    with owner_engine.begin() as connection:
        connection.execute(text("GRANT SELECT ON mart.price_current TO PUBLIC"))
        connection.execute(text("COMMENT ON SCHEMA mart IS 'mart of before'"))
    migrations.upgrade(owner_engine)
    with owner_engine.connect() as connection:
        assert connection.scalar(text("SELECT has_table_privilege('public', 'mart.price_current', 'SELECT')"))


@pytest.mark.parametrize("spelling", ["postgres://u:p@h/d", "postgresql://u:p@h/d", "postgresql+psycopg2://u:p@h/d"])
def test_any_spelling_of_a_postgres_url_means_psycopg_3(spelling: str) -> None:
    assert database_url(spelling).drivername == "postgresql+psycopg"


@pytest.mark.parametrize("spelling", ["mysql://h/d", "no url at all"])
def test_another_database_is_refused(spelling: str) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        database_url(spelling)


def test_an_unreachable_server_is_one_line_without_the_password() -> None:
    engine = open_engine(database_url("postgresql://someone:sesame@127.0.0.1:1/etl"), connect_seconds=2)
    with pytest.raises(DatabaseError) as caught:
        require_reachable(engine)
    assert "sesame" not in str(caught.value)
    assert "\n" not in str(caught.value)
