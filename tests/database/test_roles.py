"""The loader writes rows and nothing else; a reader, however hostile, keeps nobody from loading."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, Engine, text

from etl.cli.invocation import upgrade
from etl.database import loader, migrations, reader
from etl.database.engine import open_engine
from etl.errors import DatabaseError
from etl.load.locks import held, holder, lock, try_lock
from tests.database.marts import NextVersion
from tests.database.roles import Role, as_owner, execute, login_role, owner_of, refused
from tests.load.believing import load
from tests.load.worlds import World

WORLD = World({"openai/m": ("A", {"prompt": "1", "completion": "2"})})

LOCKS = ("feed", "source s", "run s", "identity", "archive", "alerts", "watches", "configuration", "basket s")


@pytest.fixture
def mallory(server_url: URL, engine: Engine) -> Iterator[Role]:
    """A reader of the warehouse."""
    with login_role(server_url, "mallory") as role:
        reader.grant(as_owner(engine), role.name)
        yield role
        execute(server_url.set(database=engine.url.database), f"DROP OWNED BY {role.quoted}")


@contextmanager
def holding(url: URL, *statements: str) -> Iterator[None]:
    """A session that runs statements and leaves its transaction open; what is refused is refused."""
    where = url.translate_connect_args(username="user", database="dbname")
    with psycopg.connect(**where) as connection, connection.transaction(force_rollback=True):
        for statement in statements:
            try:
                with connection.transaction():
                    connection.execute(statement.encode())
            except psycopg.Error:
                continue
        yield


def loads(engine: Engine, day: int, seconds: float = 20) -> bool:
    """Whether a load comes to its end in time."""
    done: list[bool] = []
    world = World({"openai/m": ("A", {"prompt": str(day + 1), "completion": "2"})})
    thread = threading.Thread(target=lambda: done.append(load(engine, "s", day, world).is_well), daemon=True)
    thread.start()
    thread.join(seconds)
    return done == [True]


ADVISORY = tuple(f"SELECT pg_advisory_lock(hashtextextended('etl {name}', 0))" for name in LOCKS)
TABLES = tuple(
    f"LOCK TABLE {name} IN {mode} MODE"
    for name in (
        "core.lock",
        "core.source",
        "core.price",
        "raw.content",
        "mart.price_current",
        "public.schema_revision",
    )
    for mode in ("ACCESS EXCLUSIVE", "EXCLUSIVE", "SHARE ROW EXCLUSIVE", "SHARE", "ROW EXCLUSIVE")
)
ATTACKS = {
    "the advisory locks of before": ADVISORY,
    "the rows of the locks": ("SELECT FROM core.lock FOR UPDATE", "SELECT FROM core.source FOR KEY SHARE"),
    "locks on tables and views": TABLES,
    "rows through a view": ("SELECT FROM mart.source FOR UPDATE", "SELECT FROM mart.fx_rate FOR KEY SHARE"),
    "a question that never ends": (
        "SELECT FROM mart.price_history",
        "DECLARE c CURSOR FOR SELECT * FROM mart.price_change",
    ),
    "catalogs": ("LOCK TABLE pg_catalog.pg_class IN SHARE MODE", "LOCK TABLE pg_catalog.pg_authid"),
    "a flood of notifications": (
        "LISTEN catalog_change",
        "SELECT pg_notify('catalog_change', g::text) FROM generate_series(1, 9999) g",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_reader_keeps_nobody_from_loading(engine: Engine, mallory: Role, attack: str) -> None:
    load(engine, "s", 0, WORLD)
    with holding(mallory.on(engine.url).url, *ATTACKS[attack]):
        assert loads(engine, 1)


def test_a_reader_takes_none_of_the_locks(engine: Engine, mallory: Role) -> None:
    load(engine, "s", 0, WORLD)
    for name in LOCKS:
        with engine.begin() as connection:
            lock(connection, name)
    for table in ("core.lock", "public.schema_revision"):
        assert refused(mallory.on(engine.url), f"LOCK TABLE {table} IN ACCESS SHARE MODE"), table
        assert refused(mallory.on(engine.url), f"SELECT FROM {table} FOR KEY SHARE"), table


def test_only_what_stops_no_writer_may_be_locked_through_a_view(engine: Engine, mallory: Role) -> None:
    for mode in (
        "ACCESS EXCLUSIVE",
        "EXCLUSIVE",
        "SHARE ROW EXCLUSIVE",
        "SHARE",
        "SHARE UPDATE EXCLUSIVE",
        "ROW SHARE",
    ):
        is_refused = refused(mallory.on(engine.url), f"LOCK TABLE mart.price_current IN {mode} MODE")
        # From Postgres 16 on who may read may take a row share, which stops nobody who writes rows.
        assert is_refused or mode == "ROW SHARE", mode


HOSTILE = """
CREATE FUNCTION public.{name}({types}) RETURNS {result} LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'a function of somebody else ran as %', current_user; END $$
"""

SHADOWED = (
    ("hashtextextended", "text, integer", "bigint"),
    ("set_config", "text, text, bool", "text"),
    ("pg_notify", "text, text", "void"),
    ("greatest_of", "bigint, bigint", "bigint"),
    ("count", "bigint", "bigint"),
    ("array_agg", "text", "text[]"),
    ("split_part", "text, text, bigint", "text"),
    ("max", "bigint", "bigint"),
    ("coalesce_of", "text, text", "text"),
)


def test_nothing_of_a_hostile_public_schema_runs_as_us(engine: Engine, mallory: Role) -> None:
    """As on a cluster older than 15, where everybody may create in ``public``."""
    execute(owner_of(engine.url), "GRANT CREATE ON SCHEMA public TO PUBLIC")
    theirs = mallory.on(engine.url).url
    for name, types, result in SHADOWED:
        execute(theirs, HOSTILE.format(name=name, types=types, result=result))
    for table in ("source", "price", "model", "lock", "snapshot", "stage_price", "stage_model_link", "pg_class"):
        execute(theirs, f"CREATE TABLE public.{table} (mine integer); GRANT ALL ON public.{table} TO PUBLIC")
    boom = "CREATE FUNCTION public.boom(text, varchar) RETURNS boolean LANGUAGE sql AS 'SELECT (1 / 0)::boolean'"
    execute(theirs, boom)
    # It fits better than the operator of Postgres, and so would win wherever the path leads to it.
    execute(theirs, "CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = varchar, FUNCTION = public.boom)")
    execute(owner_of(engine.url), "COMMENT ON SCHEMA mart IS 'mart of before'")
    upgrade(as_owner(engine))
    assert load(engine, "s", 0, WORLD).is_well
    assert load(engine, "s", 2, World({"openai/m": ("A", {"prompt": "3", "completion": "2"})})).is_well
    assert loads(engine, 1)


def test_every_session_of_ours_finds_nothing_by_a_name_alone(engine: Engine) -> None:
    execute(owner_of(engine.url), f"ALTER DATABASE {engine.url.database} SET search_path = public, core")
    for each in (engine, as_owner(engine)):
        with each.connect() as connection:
            assert connection.scalar(text("SHOW search_path")) == "pg_catalog,pg_temp"


def test_every_function_of_the_warehouse_has_a_search_path_of_its_own(engine: Engine) -> None:
    careless = text(
        "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace::regnamespace::text IN ('raw', 'core', 'mart')"
        " AND NOT EXISTS (SELECT FROM unnest(proconfig) setting WHERE setting LIKE 'search_path=pg_catalog%')"
    )
    definer = text(
        "SELECT proname FROM pg_proc WHERE pronamespace::regnamespace::text IN ('raw', 'core', 'mart') AND prosecdef"
    )
    advisory = text("SELECT proname FROM pg_proc WHERE prosrc LIKE '%pg_advisory%' AND proname LIKE 'refresh%'")
    with engine.connect() as connection:
        assert connection.scalars(careless).all() == []
        assert connection.scalars(definer).all() == ["analyse"]
        assert connection.scalars(advisory).all() == []


def test_the_loader_has_exactly_the_rights_that_are_listed(engine: Engine) -> None:
    granted = text(
        """
        SELECT format('%I.%I', n.nspname, c.relname),
               array_remove(array_agg(DISTINCT a.privilege_type), NULL),
               (SELECT array_agg(t.attname::text ORDER BY t.attname) FROM pg_attribute t
                 WHERE t.attrelid = c.oid AND t.attnum > 0 AND NOT has_table_privilege('etl_loader', c.oid, 'UPDATE')
                   AND has_column_privilege('etl_loader', c.oid, t.attnum, 'UPDATE'))
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN LATERAL aclexplode(c.relacl) a ON a.grantee = 'etl_loader'::regrole
         WHERE n.nspname IN ('raw', 'core') AND c.relkind IN ('r', 'p')
         GROUP BY c.oid, n.nspname, c.relname
        """
    )
    with engine.connect() as connection:
        found = {table: (set(rights), set(columns or ())) for table, rights, columns in connection.execute(granted)}
    assert len(found) > 20
    for table, (rights, columns) in found.items():
        whole, _, part = loader.rights(table).partition(" (")
        listed = set(whole.split(", ")) - ({"UPDATE"} if part else set())
        assert (rights, columns) == (listed, set(part.rstrip(")").split(", ")) if part else set()), table


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE core.mine (one integer)",
        "CREATE TABLE public.mine (one integer)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION core.mine() RETURNS integer LANGUAGE sql RETURN 1",
        "ALTER TABLE core.price ADD COLUMN mine text",
        "ALTER TABLE raw.content DISABLE TRIGGER ALL",
        "DROP TRIGGER no_loss ON raw.content",
        "DROP VIEW mart.price_current",
        "DROP TABLE core.price",
        "TRUNCATE core.run",
        "DELETE FROM core.price",
        "DELETE FROM raw.page",
        "UPDATE core.price SET unit_price = 0",
        "UPDATE raw.snapshot SET source = 'mine'",
        "UPDATE public.schema_revision SET version_num = '9999'",
        "CREATE TRIGGER mine BEFORE INSERT ON core.price FOR EACH ROW EXECUTE FUNCTION raw.refuse_change()",
        "SELECT FROM pg_authid",
        "SELECT pg_read_file('PG_VERSION')",
        "COPY core.source TO PROGRAM 'cat'",
        "COPY core.source TO '/tmp/mine'",
        "CREATE ROLE mine",
        "ALTER ROLE etl_loader SUPERUSER",
        "SET ROLE etl_owner",
        "SET ROLE etl_reader",
        "SET session_replication_role = replica",
        "SET log_statement = 'none'",
    ],
)
def test_the_loader_changes_neither_the_schema_nor_history_nor_the_server(engine: Engine, statement: str) -> None:
    assert refused(engine, statement)


def test_an_upgrade_by_the_loader_is_one_line_that_names_the_owner(engine: Engine) -> None:
    with pytest.raises(DatabaseError, match=r"belongs to etl_owner, and etl_loader may not .*: run `etl db upgrade`"):
        migrations.upgrade(engine)


def test_an_upgrade_that_a_reader_holds_up_ends_and_names_the_reader(
    engine: Engine, mallory: Role, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(engine, "s", 0, WORLD)
    NextVersion(tmp_path / "mart", monkeypatch).prepend_column("20_price_current.sql")
    monkeypatch.setattr(migrations, "PATIENCE", "200ms")
    waited = pytest.raises(DatabaseError, match=rf"because of pid \d+, role {mallory.name}")
    with holding(mallory.on(engine.url).url, "SELECT * FROM mart.price_current"), waited:
        migrations.upgrade(as_owner(engine))
    migrations.upgrade(as_owner(engine))
    assert migrations.is_current(engine)


def test_who_holds_a_lock_is_named_and_who_only_tries_does_not_wait(engine: Engine) -> None:
    with engine.begin() as busy, engine.begin() as other:
        # The row is not there yet: the first of two that add it must not make the second wait.
        assert try_lock(busy, "source new")
        assert not try_lock(other, "source new")
        assert holder(other, "source new").startswith(
            f"pid {busy.scalar(text('SELECT pg_backend_pid()'))}, role etl_loader"
        )
    with engine.begin() as third:
        assert try_lock(third, "source new")


def test_a_lock_that_is_held_is_free_when_its_process_hangs_or_its_session_ends(engine: Engine) -> None:
    with held(engine, "run s", patience=1) as lock, engine.connect() as other:
        assert lock is not None
        with held(engine, "run s") as second:
            assert second is None
        for _ in range(100):
            if try_lock(other, "run s"):
                break
            other.rollback()
            threading.Event().wait(0.1)
        else:
            pytest.fail("the server did not take the lock from a session that hangs")


def test_a_login_that_is_granted_the_mart_gets_limits_where_we_may_set_them(server_url: URL, engine: Engine) -> None:
    with ExitStack() as stack:
        role = stack.enter_context(login_role(server_url, "limited"))
        reader.grant(open_engine(server_url.set(database=engine.url.database)), role.name)
        with role.on(engine.url).connect() as connection:
            assert connection.scalar(text("SHOW statement_timeout")) == "1min"
            assert connection.scalar(text("SHOW idle_in_transaction_session_timeout")) == "1min"
