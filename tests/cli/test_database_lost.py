"""The database is lost: status 2 says that nothing was started, 1 that something was."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, text

from etl.database.embedded import EmbeddedServer, EmbeddedSettings
from etl.database.engine import open_engine
from tests.cli.conftest import Run, named
from tests.conftest import free_port
from tests.database.roles import as_owner
from tests.extract.gateway import Asked, Gateway, ok
from tests.processes import Ended, environment
from tests.processes import etl as etl_process

CATALOG = b'{"data": [{"id": "openai/m1", "pricing": {"prompt": "0.000001"}}]}'


def close(server: URL, database: str) -> None:
    """End every connection to a database, and let no other in."""
    admin = open_engine(server).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": database}
        )


def run_until(lose: Callable[[], object], folder: Path, url: str) -> Ended:
    """A run, and what becomes of its database while it waits for its gateway."""
    arrived, lost = threading.Event(), threading.Event()

    def slow(connection: socket.socket, asked: Asked) -> None:
        arrived.set()
        lost.wait(30)
        ok(CATALOG)(connection, asked)

    with Gateway(slow) as gateway:
        process = subprocess.Popen(
            [sys.executable, "-m", "etl", "run", "bifrost"],
            cwd=folder,
            env=environment(folder, DATABASE_URL=url, ETL_BIFROST_URL=gateway.url),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            assert arrived.wait(30)
            lose()
            lost.set()
            out, err = process.communicate(timeout=60)
    return Ended(process.returncode, out, err)


def test_a_database_that_is_closed_while_a_gateway_is_asked_is_status_1(
    server_url: URL, warehouse_url: URL, tmp_path: Path
) -> None:
    ended = run_until(lambda: close(server_url, str(warehouse_url.database)), tmp_path, named(warehouse_url))
    assert (ended.status, len(ended.complaints)) == (1, 1), ended.err


@pytest.mark.slow
def test_a_server_that_is_stopped_while_a_gateway_is_asked_is_status_1(tmp_path: Path) -> None:
    server = EmbeddedServer(EmbeddedSettings(home=tmp_path / "home", port=free_port()))
    url = server.ensure()
    try:
        assert etl_process(tmp_path, "db", "upgrade", DATABASE_URL=url).status == 0
        ended = run_until(server.stop, tmp_path, url)
    finally:
        server.stop()
    assert (ended.status, len(ended.complaints)) == (1, 1), ended.err


def test_a_connection_that_breaks_while_a_command_reads_is_status_1(etl: Run, warehouse: Engine) -> None:
    """A view that ends the session of its reader stands for a server that dies while it is asked."""
    with as_owner(warehouse).begin() as connection:
        meant = connection.scalar(text("SELECT rtrim(pg_get_viewdef('mart.change_feed'::regclass), ';')"))
        dead = "WITH dead AS MATERIALIZED (SELECT pg_terminate_backend(pg_backend_pid()))"
        view = f"CREATE OR REPLACE VIEW mart.change_feed AS {dead} SELECT known.* FROM dead, ({meant}) AS known"
        connection.exec_driver_sql(view.replace("%", "%%"))
    ended = etl("changes", "--since", "c0")
    assert (ended.status, len(ended.complaints)) == (1, 1), ended.err
    assert "the database gave up: terminating connection" in ended.complaints[0]


@pytest.mark.parametrize("words", [("run",), ("status",), ("verify",)])
def test_a_database_that_was_never_there_is_status_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    ended = etl_process(tmp_path, *words, DATABASE_URL=f"postgresql://me@127.0.0.1:{free_port()}/none")
    assert (ended.status, len(ended.complaints)) == (2, 1)
