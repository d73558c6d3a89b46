"""``etl db dependents``: what others created on top of the warehouse survives an upgrade that has to drop it."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import URL, Engine, text

from etl.database import dependents, migrations
from etl.database.cluster import OWNER
from etl.database.engine import database_url, open_engine
from tests.cli.conftest import Run, named
from tests.database.marts import NextVersion, run
from tests.database.roles import execute, owner_of
from tests.processes import etl as etl_process


@pytest.fixture
def warehouse_url(warehouse_url: URL) -> URL:
    """The warehouse for its owner, who upgrades it."""
    return owner_of(warehouse_url)


@pytest.fixture
def analyst(server_url: URL, warehouse_url: URL) -> Iterator[str]:
    """A role of the server with a name that has to be quoted."""
    here = server_url.set(database=warehouse_url.database)
    name = f"An Analyst {uuid4().hex[:8]}"
    execute(here, f'CREATE ROLE "{name}"; GRANT "{name}" TO {OWNER}')
    yield name
    execute(here, f'DROP OWNED BY "{name}" CASCADE; DROP ROLE "{name}"')


@pytest.fixture
def next_version(warehouse: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NextVersion:
    """A next version of the mart, after the warehouse was made."""
    del warehouse
    return NextVersion(tmp_path / "mart", monkeypatch)


def many_kinds(engine: Engine, analyst: str) -> None:
    """Everything that can hang on a view and is no more than a definition."""
    run(
        engine,
        f'CREATE SCHEMA "Their Own" AUTHORIZATION "{analyst}"',
        'CREATE VIEW "Their Own"."Wide; one" WITH (security_barrier = true, security_invoker = on) AS'
        ' SELECT source AS "the Source", observed_at FROM mart.observation WHERE is_complete',
        f'ALTER VIEW "Their Own"."Wide; one" OWNER TO "{analyst}"',
        'GRANT SELECT ON "Their Own"."Wide; one" TO PUBLIC',
        'GRANT UPDATE (observed_at) ON "Their Own"."Wide; one" TO etl_reader WITH GRANT OPTION',
        'COMMENT ON VIEW "Their Own"."Wide; one" IS \'it\'\'s "theirs"\'',
        'COMMENT ON COLUMN "Their Own"."Wide; one"."the Source" IS \'where from\'',
        'CREATE VIEW "Their Own".checked AS SELECT * FROM "Their Own"."Wide; one" WITH CASCADED CHECK OPTION',
        'CREATE MATERIALIZED VIEW "Their Own".counted WITH (fillfactor = 70) AS'
        ' SELECT "the Source" AS source, count(*) AS n FROM "Their Own"."Wide; one" GROUP BY 1',
        'CREATE UNIQUE INDEX "their key" ON "Their Own".counted (source) WHERE n > 1',
        'CREATE STATISTICS "Their Own".together ON source, n FROM "Their Own".counted',
        'CREATE MATERIALIZED VIEW "Their Own".empty AS SELECT * FROM "Their Own".counted WITH NO DATA',
        "CREATE FUNCTION \"Their Own\".latest(wanted text DEFAULT 'x') RETURNS TABLE (s text, at timestamptz)"
        " LANGUAGE sql BEGIN ATOMIC SELECT source, observed_at FROM mart.observation WHERE source = wanted; END",
        'REVOKE EXECUTE ON FUNCTION "Their Own".latest FROM PUBLIC',
        f'GRANT EXECUTE ON FUNCTION "Their Own".latest TO "{analyst}"',
        'CREATE PROCEDURE "Their Own".act() LANGUAGE sql BEGIN ATOMIC SELECT 1 FROM mart.observation; END',
        "CREATE TABLE \"Their Own\".kept (source text, CHECK (source <> ''))",
        'CREATE RULE watch AS ON INSERT TO "Their Own".kept DO ALSO SELECT count(*) FROM mart.observation',
        'ALTER TABLE "Their Own".kept ENABLE ROW LEVEL SECURITY',
        f'CREATE POLICY "see some" ON "Their Own".kept AS RESTRICTIVE FOR UPDATE TO "{analyst}", PUBLIC USING'
        " (source IN (SELECT source FROM mart.observation)) WITH CHECK (source IS NOT NULL)",
        "CREATE FUNCTION \"Their Own\".fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        'CREATE TRIGGER fire INSTEAD OF INSERT ON "Their Own".checked FOR EACH ROW EXECUTE FUNCTION "Their Own".fire()',
        'ALTER VIEW "Their Own".checked ALTER COLUMN observed_at SET DEFAULT now()',
    )


def described(engine: Engine) -> dict[str, str | None]:
    """What hangs on the warehouse, by name, with the SQL that creates it."""
    with engine.connect() as connection:
        return {f"{each.kind} {each.name}": each.create for each in dependents.of_the_warehouse(connection)}


def catalogued(engine: Engine) -> list[str]:
    """What the catalog has of the analyst's objects, without a look at what the program makes of it."""
    query = text(
        """
        SELECT concat_ws(' ', c.relname, c.relkind, pg_get_userbyid(c.relowner), c.reloptions, c.relispopulated,
                         ARRAY(SELECT unnest(c.relacl)::text ORDER BY 1), obj_description(c.oid, 'pg_class'),
                         a.attname, a.attacl, col_description(c.oid, a.attnum), pg_get_viewdef(c.oid))
          FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
         WHERE c.relnamespace = '"Their Own"'::regnamespace
        UNION ALL
        SELECT concat_ws(' ', pg_get_functiondef(p.oid), pg_get_userbyid(p.proowner),
                         ARRAY(SELECT unnest(p.proacl)::text ORDER BY 1))
          FROM pg_proc p WHERE p.pronamespace = '"Their Own"'::regnamespace
        UNION ALL
        SELECT concat_ws(' ', p.polname, p.polpermissive, p.polcmd, p.polroles::regrole[],
                         pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) FROM pg_policy p
        ORDER BY 1
        """
    )
    with engine.connect() as connection:
        return list(connection.scalars(query))


def test_what_is_printed_drops_and_creates_all_that_is_in_the_way_of_an_upgrade(
    etl: Run, warehouse: Engine, analyst: str, next_version: NextVersion
) -> None:
    next_version.prepend_column("02_observation.sql")
    many_kinds(warehouse, analyst)
    before, there = described(warehouse), catalogued(warehouse)
    kinds = (
        "view",
        "materialized",
        "index",
        "statistics",
        "function",
        "procedure",
        "rule",
        "policy",
        "trigger",
        "default",
    )
    assert {name.partition(" ")[0] for name in before} == set(kinds)
    refused = etl("db", "upgrade")
    assert (refused.status, refused.out, refused.err.count("\n")) == (2, "", 1)
    assert 'materialized view "Their Own".counted (owner ' in refused.err
    drop, create, both = (etl("db", "dependents", *options).out for options in (["--drop"], ["--create"], []))
    assert drop in both
    assert create in both
    run(warehouse, drop)
    assert described(warehouse) == {}
    assert etl("db", "dependents").out == "-- nothing hangs on raw, core or mart\n"
    assert etl("db", "upgrade").status == 0
    run(warehouse, create)
    assert described(warehouse) == before
    assert catalogued(warehouse) == there
    assert migrations.is_current(warehouse)


def test_what_would_lose_data_is_named_and_left_to_a_person(etl: Run, warehouse: Engine) -> None:
    run(
        warehouse,
        "CREATE SCHEMA theirs",
        "CREATE TABLE theirs.rows (one mart.observation)",
        "CREATE TABLE theirs.refers (s text REFERENCES core.source)",
    )
    printed = etl("db", "dependents").out
    assert "-- by hand: table theirs.rows (owner " in printed
    assert "DROP TABLE" not in printed
    assert "ALTER TABLE theirs.refers DROP CONSTRAINT refers_s_fkey;" in printed
    rows = json.loads(etl("db", "dependents", "--json").out)
    assert [(row["kind"], row["drop"]) for row in rows if row["name"] == "theirs.rows"] == [("table", None)]


def test_the_commands_that_a_person_needs_then_work_with_any_schema(
    etl: Run, warehouse: Engine, warehouse_url: URL, tmp_path: Path
) -> None:
    run(warehouse, "COMMENT ON SCHEMA mart IS 'mart of before'")
    for command in (("db", "url"), ("db", "status"), ("db", "dependents")):
        assert etl(*command).status == 0
    assert etl("status").status == 2
    url = named(warehouse_url)
    asked = etl_process(tmp_path, "db", "psql", "-Atc", "SELECT 1", DATABASE_URL=url)
    if "no psql found" in asked.err:
        pytest.skip("there is no psql here")
    assert (asked.status, asked.out) == (0, "1\n")


def test_what_is_printed_is_what_psql_reads(
    etl: Run, warehouse: Engine, warehouse_url: URL, analyst: str, tmp_path: Path
) -> None:
    many_kinds(warehouse, analyst)
    before = described(warehouse)
    printed = [etl("db", "dependents", option).out for option in ("--drop", "--create")]
    for sql in printed:
        (tmp_path / "mine.sql").write_text(sql)
        arguments = ("-v", "ON_ERROR_STOP=1", "-1", "-f", "mine.sql")
        ended = etl_process(tmp_path, "db", "psql", *arguments, DATABASE_URL=named(warehouse_url))
        if "no psql found" in ended.err:
            pytest.skip("there is no psql here")
        assert ended.status == 0, ended.err
    assert described(warehouse) == before
    with warehouse.connect() as connection:
        assert connection.scalar(text('SELECT count(*) FROM "Their Own".counted')) == 0


@pytest.mark.slow
def test_an_embedded_warehouse_that_cannot_be_upgraded_names_what_is_in_the_way(
    typing: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETL_HOME", str(folder / "mine"))
    try:
        assert typing("status").status == 0
        engine = open_engine(database_url(typing("db", "url").out.strip()))
        run(engine, "CREATE SCHEMA mine", "CREATE VIEW mine.one AS SELECT * FROM mart.observation")
        NextVersion(folder / "mart", monkeypatch).prepend_column("02_observation.sql")
        ended = typing("status")
        assert (ended.status, ended.out) == (2, "")
        assert "view mine.one (owner " in ended.err.splitlines()[-1]
        assert "`etl db dependents`" in ended.err.splitlines()[-1]
        assert "not current" in typing("db", "status", "--json").out
        run(engine, typing("db", "dependents", "--drop").out)
        assert typing("status").status == 0
    finally:
        assert typing("db", "stop").out == "stopped\n"
