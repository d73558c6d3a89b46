"""`etl db copy`: a whole warehouse in another database, equal to the last row, or nothing of it."""

import signal
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL, Engine, text

from etl.database import transfer
from etl.database.engine import open_engine
from etl.errors import DatabaseError
from etl.pipeline import Pipeline
from tests.conftest import _database
from tests.database.movers import transfer_until
from tests.database.roles import as_owner, owner_of
from tests.dump import dump
from tests.extract.gateway import Gateway, ok
from tests.extract.sources import QUICK
from tests.faults.driver import watched_engine
from tests.faults.processes import ended, pulled, start
from tests.faults.wards import settled
from tests.load.archiving import archived, fill, verify
from tests.load.believing import Ticking, believed, load
from tests.load.worlds import WORLDS, World, body, history, moment


@pytest.fixture
def second_url(server_url: URL, template: str) -> Iterator[URL]:
    """Another warehouse, migrated and empty."""
    with _database(server_url, template=template) as url:
        yield url


@pytest.fixture
def second(second_url: URL) -> Engine:
    """Another warehouse, migrated and empty."""
    return open_engine(owner_of(second_url))


def copied(source: Engine, target: Engine) -> dict[str, int]:
    transfer.require_empty(target)
    return transfer.transfer(source, target, lambda *_: None)


def all_rows(engine: Engine) -> dict[str, int]:
    query = text("SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN ('raw', 'core')")
    unmoved = "core.mart_object"  # It is about the mart of one database.
    with engine.connect() as connection:
        return {
            table: connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0
            for table in connection.scalars(query).all()
            if table != unmoved
        }


def test_every_table_arrives_as_it_was(engine: Engine, second: Engine) -> None:
    fill(engine)
    for day, price in enumerate(("1", "2")):
        load(engine, "indexed", day, World({"openai/m": ("A", {"prompt": price, "completion": "1"})}))
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO core.fx_rate VALUES ('EUR', '2026-01-01Z', 1.17, 'a test')"))
    rows = copied(engine, second)
    assert rows == all_rows(engine) == all_rows(second)
    assert rows["core.basket_move"] > 0
    assert dump(second) == dump(engine)
    assert verify(second).agrees


@pytest.mark.slow
def test_what_is_archived_and_dropped_is_copied_as_such(
    engine: Engine, second: Engine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    fill(engine)
    archived(engine, tmp_path_factory.mktemp("archive"), drop=True)
    copied(engine, second)
    assert dump(second) == dump(engine)
    assert verify(second).agrees


@pytest.mark.slow
def test_runs_go_on_where_it_was_copied_to(engine: Engine, second: Engine) -> None:
    fill(engine)
    copied(engine, second)
    dearer = World({**WORLDS[4].models, "openai/m0": ("A", {"prompt": "3"})})
    with Gateway(ok(body(dearer))) as gateway:
        [result] = pulled(Pipeline(second, lambda: moment(9), limits=QUICK), "s", gateway.url)
    assert result.status == "loaded"
    assert result.snapshot_id == len(WORLDS) + 1
    assert verify(second).agrees
    assert believed(second, "s") == history(WORLDS | {9: dearer})


@pytest.mark.slow
def test_triggers_rest_while_it_is_copied_and_are_in_force_again_afterwards(engine: Engine, second: Engine) -> None:
    fill(engine)
    with second.begin() as connection:
        bend = "CREATE FUNCTION public.bend() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := 'bent';"
        connection.execute(text(f"{bend} RETURN NEW; END $$"))
        trigger = "CREATE TRIGGER bend BEFORE INSERT ON core.model FOR EACH ROW EXECUTE FUNCTION public.bend()"
        connection.execute(text(trigger))
    copied(engine, second)
    assert dump(second) == dump(engine)
    with second.connect() as connection:
        resting = text("SELECT tgname FROM pg_trigger WHERE tgenabled <> 'O' AND NOT tgisinternal")
        assert connection.scalars(resting).all() == []


@pytest.mark.slow
def test_a_target_that_holds_something_is_refused(engine: Engine, second: Engine) -> None:
    fill(engine)
    fill(second, "another")
    before = dump(second)
    with pytest.raises(DatabaseError, match=r"is not empty, it has rows in \w+\.\w+: name an empty database"):
        copied(engine, second)
    assert dump(second) == before


def test_a_target_with_a_schema_of_somebody_else_is_refused(empty_url: URL) -> None:
    engine = open_engine(empty_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA core"))
    with pytest.raises(DatabaseError, match="has a schema core of something else"):
        transfer.require_empty(engine)


@pytest.mark.slow
def test_tables_that_differ_are_refused(engine: Engine, second: Engine) -> None:
    with as_owner(engine).begin() as connection:
        connection.execute(text("ALTER TABLE core.model ADD COLUMN mine text"))
    with pytest.raises(DatabaseError, match="the tables of the two databases differ"):
        copied(engine, second)


@pytest.mark.slow
def test_a_row_that_arrives_otherwise_is_noticed_and_nothing_stays(
    engine: Engine, second_url: URL, second: Engine
) -> None:
    fill(engine)
    before = dump(second)

    def bending(what: str, connection: psycopg.Connection[Any]) -> None:
        if what.startswith("SELECT count(*)"):
            connection.execute("UPDATE core.model SET name = 'bent'")

    with pytest.raises(DatabaseError, match=r"core\.model did not arrive as it was: nothing was copied"):
        copied(engine, watched_engine(owner_of(second_url), bending))
    assert dump(second) == before


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.2, 0.6, 0.98])
def test_killed_in_the_middle_it_leaves_the_target_empty_and_can_be_repeated(
    warehouse_url: URL, engine: Engine, second_url: URL, second: Engine, share: float
) -> None:
    fill(engine)
    before = dump(second)
    source, target = (url.render_as_string(hide_password=False) for url in (warehouse_url, owner_of(second_url)))
    at = int(share * 3 * len(all_rows(engine)))
    assert ended(start(transfer_until, source, target, at)) == -signal.SIGKILL
    settled(second)
    assert dump(second) == before
    copied(engine, second)
    assert dump(second) == dump(engine)


@pytest.mark.slow
def test_what_is_loaded_meanwhile_does_not_tear_the_copy(engine: Engine, second: Engine) -> None:
    fill(engine)
    expected = dump(engine)
    loads = iter([lambda: fill(engine, "another")])

    def progress(count: int, _: int) -> None:
        if count == 2:
            next(loads)()

    transfer.transfer(engine, second, progress)
    assert dump(second) == expected
    assert Pipeline(second, Ticking()).known_sources().keys() == {"s"}
