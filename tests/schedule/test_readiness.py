"""Whether the daemon could work now, asked of real, absent, old and hanging databases."""

import socket
import time

from sqlalchemy import URL, make_url, text

from etl.database import migrations
from etl.database.engine import open_engine
from etl.schedule import readiness as asking
from etl.schedule.readiness import asking_engine, readiness
from tests.conftest import free_port
from tests.database.roles import owner_of

NOWHERE = make_url("postgresql+psycopg://etl:planted-password@127.0.0.1/etl")


def test_a_current_warehouse_is_ready(warehouse_url: URL) -> None:
    assert readiness(lambda: asking_engine(warehouse_url))() is None


def test_an_empty_database_says_what_to_do(empty_url: URL) -> None:
    assert readiness(lambda: asking_engine(empty_url))() == (
        f"the database has schema none, {migrations.head()} is needed: run `etl db upgrade`"
    )


def test_another_mart_says_what_to_do(warehouse_url: URL) -> None:
    with open_engine(owner_of(warehouse_url)).begin() as connection:
        connection.execute(text("COMMENT ON SCHEMA mart IS 'older'"))
    why_not = readiness(lambda: asking_engine(warehouse_url))()
    assert why_not == "the database has the mart of another version: run `etl db upgrade`"


def test_no_database_is_said_without_the_password() -> None:
    why_not = readiness(lambda: asking_engine(NOWHERE.set(port=free_port())))()
    assert why_not is not None
    assert why_not.startswith("no database at postgresql://etl:***@127.0.0.1:")
    assert "planted-password" not in why_not
    assert "\n" not in why_not


def test_a_database_that_hangs_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        engine = asking_engine(NOWHERE.set(port=silent.getsockname()[1]))
        why_not = readiness(lambda: engine)
        began = time.monotonic()
        said = why_not()
        assert time.monotonic() - began < asking.PATIENCE_SECONDS + 1
    assert said is not None
    assert "planted-password" not in said
