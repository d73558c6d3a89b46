"""A reader reads all of the mart and nothing else; whoever is granted that can do it at once."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import URL, Engine, text

from etl.database import migrations, reader
from tests.database.roles import Role, as_owner, execute, login_role, owner_of, refused
from tests.load.believing import load
from tests.load.worlds import World

VIEWS = "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'mart'::regnamespace AND relkind IN ('v', 'm')"
FUNCTIONS = "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'mart'::regnamespace"
TABLES = (
    "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'p')"
    " AND relnamespace::regnamespace::text IN ('raw', 'core', 'public')"
)
SEQUENCES = (
    "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'S'"
    " AND relnamespace::regnamespace::text IN ('raw', 'core')"
)
WRITING = "INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER"


@pytest.fixture
def alice(server_url: URL) -> Iterator[Role]:
    with login_role(server_url) as role:
        yield role


@pytest.fixture
def reading(alice: Role, engine: Engine) -> Engine:
    """A warehouse that holds something, as a reader sees it."""
    load(engine, "s", 0, World({"openai/m": ("A", {"prompt": "1", "image": "12x"})}))
    load(engine, "s", 1, World({"openai/m": ("B", {"prompt": "2"})}))
    assert reader.grant(as_owner(engine), alice.name) == [f"GRANT etl_reader TO {alice.quoted};"]
    return alice.on(engine.url)


def names(engine: Engine, query: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.scalars(text(query)))


def test_a_reader_reads_every_view(engine: Engine, reading: Engine) -> None:
    views = names(engine, VIEWS)
    assert {"mart.price_current", "mart.source_health", "mart.data_quality", "mart.provider_cost"} <= set(views)
    for view in views:
        seen, there = (names(each, f"SELECT v::text FROM {view} v") for each in (reading, engine))
        assert sorted(seen) == sorted(there), view


def test_a_reader_may_call_every_function_and_nobody_else_may(engine: Engine, reading: Engine) -> None:
    functions = names(engine, FUNCTIONS)
    assert len(functions) >= 3
    may_execute = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'mart'::regnamespace AND {}"
    mine = may_execute.format("has_function_privilege(oid, 'EXECUTE')")
    everybodys = may_execute.format("has_function_privilege('public', oid, 'EXECUTE')")
    assert names(reading, mine) == [len(functions)]
    assert names(reading, everybodys) == [0]


def test_a_function_that_reads_the_mart_works_for_a_reader(alice: Role, engine: Engine) -> None:
    execute(
        owner_of(engine.url),
        "CREATE FUNCTION mart.rates() RETURNS bigint LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp"
        " RETURN (SELECT count(*) FROM mart.fx_rate); REVOKE ALL ON FUNCTION mart.rates FROM PUBLIC",
    )
    assert reader.grant(as_owner(engine), alice.name)[: len(reader.MAY_READ)] == list(reader.MAY_READ)
    assert names(alice.on(engine.url), "SELECT mart.rates()") == [2]


def test_the_functions_read_with_the_rights_of_their_caller_and_find_only_what_they_name(engine: Engine) -> None:
    careless = (
        FUNCTIONS + " AND (prosecdef OR provolatile = 'v'"
        " OR NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false))"
    )
    assert names(engine, careless) == []


def test_a_reader_sees_nothing_below_the_mart(engine: Engine, reading: Engine) -> None:
    tables = names(engine, TABLES)
    assert {"raw.content", "core.price", "core.snapshot", "public.schema_revision"} <= set(tables)
    for table in tables:
        assert refused(reading, f"SELECT FROM {table}"), table
        assert refused(reading, f"TRUNCATE {table}"), table
        assert refused(reading, f"DELETE FROM {table}"), table
    for sequence in names(engine, SEQUENCES):
        assert refused(reading, f"SELECT nextval('{sequence}')"), sequence


def test_a_reader_writes_through_no_view(engine: Engine, reading: Engine) -> None:
    assert names(reading, f"{VIEWS} AND has_table_privilege(oid, '{WRITING}')") == []
    updatable = names(engine, f"{VIEWS} AND pg_relation_is_updatable(oid, false) > 0")
    assert "mart.fx_rate" in updatable
    for view in updatable:
        assert refused(reading, f"DELETE FROM {view}"), view
        assert refused(reading, f"INSERT INTO {view} DEFAULT VALUES"), view
    assert refused(reading, "UPDATE mart.fx_rate SET usd = 2")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT core.refuse_overlap()",
        "SELECT raw.refuse_change()",
        "CREATE TABLE mart.mine (one integer)",
        "CREATE VIEW mart.mine AS SELECT 1 AS one",
        "CREATE FUNCTION mart.mine() RETURNS integer LANGUAGE sql RETURN 1",
        "CREATE TABLE public.mine (one integer)",
        "CREATE TABLE core.mine (one integer)",
        "CREATE SCHEMA mine",
        "DROP VIEW mart.data_quality",
        "DROP FUNCTION mart.price_as_of",
        "COMMENT ON VIEW mart.source IS 'mine'",
        "CREATE ROLE mine",
    ],
)
def test_a_reader_makes_and_drops_nothing(reading: Engine, statement: str) -> None:
    assert refused(reading, statement)


def test_a_reader_grants_nothing_although_the_server_only_warns(reading: Engine) -> None:
    execute(reading.url, "GRANT SELECT ON mart.source TO PUBLIC")
    assert names(reading, "SELECT has_table_privilege('public', 'mart.source', 'SELECT')") == [False]


def test_who_was_not_granted_it_reads_nothing(alice: Role, engine: Engine) -> None:
    for view in names(engine, VIEWS):
        assert refused(alice.on(engine.url), f"SELECT FROM {view}"), view


def test_granting_again_does_nothing(alice: Role, engine: Engine) -> None:
    assert reader.grant(as_owner(engine), alice.name)
    assert reader.grant(as_owner(engine), alice.name) == []


def test_what_others_were_granted_on_functions_outlives_the_replacement(alice: Role, engine: Engine) -> None:
    function = "mart.model_as_of(timestamptz, timestamptz)"
    execute(
        owner_of(engine.url),
        f"GRANT EXECUTE ON FUNCTION {function} TO {alice.quoted}, PUBLIC;"
        f"GRANT SELECT ON mart.source TO {alice.quoted} WITH GRANT OPTION;"
        "CREATE FUNCTION mart.left_over(integer) RETURNS integer LANGUAGE sql RETURN 1;"
        f"GRANT EXECUTE ON FUNCTION mart.left_over TO {alice.quoted};"
        "COMMENT ON SCHEMA mart IS 'mart of before'",
    )
    migrations.upgrade(as_owner(engine))
    rights = text(
        f"SELECT has_function_privilege(:role, '{function}', 'EXECUTE') AS granted,"
        f" has_function_privilege('public', '{function}', 'EXECUTE') AS everybodys,"
        " has_table_privilege(:role, 'mart.source', 'SELECT WITH GRANT OPTION') AS grantable,"
        " to_regprocedure('mart.left_over(integer)') IS NULL AS is_gone"
    )
    with engine.connect() as connection:
        assert tuple(connection.execute(rights, {"role": alice.name}).one()) == (True, False, True, True)


def test_readers_keep_what_they_have_when_the_mart_is_replaced(engine: Engine, reading: Engine) -> None:
    execute(owner_of(engine.url), "COMMENT ON SCHEMA mart IS 'mart of before'")
    migrations.upgrade(as_owner(engine))
    assert names(reading, "SELECT count(*) FROM mart.price_current") == [1]
    assert names(reading, f"SELECT count(*) FROM ({FUNCTIONS} AND NOT has_function_privilege(oid, 'EXECUTE')) f") == [0]
