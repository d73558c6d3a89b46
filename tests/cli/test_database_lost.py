"""The database is lost: status 2 says that nothing was started, 1 that something was."""

import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import URL, text

from etl.database.engine import open_engine
from tests.cli.conftest import named
from tests.conftest import free_port
from tests.extract.gateway import Asked, Gateway, ok
from tests.processes import environment, etl

CATALOG = b'{"data": [{"id": "openai/m1", "pricing": {"prompt": "0.000001"}}]}'


def close(server: URL, database: str) -> None:
    """End every connection to a database, and let no other in."""
    admin = open_engine(server).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": database}
        )


def test_a_database_that_is_lost_while_a_gateway_is_asked_is_status_1(
    server_url: URL, warehouse_url: URL, tmp_path: Path
) -> None:
    arrived, lost = threading.Event(), threading.Event()

    def slow(connection: socket.socket, asked: Asked) -> None:
        arrived.set()
        lost.wait(30)
        ok(CATALOG)(connection, asked)

    with Gateway(slow) as gateway:
        values = {"DATABASE_URL": named(warehouse_url), "ETL_BIFROST_URL": gateway.url}
        process = subprocess.Popen(
            [sys.executable, "-m", "etl", "run", "bifrost"],
            cwd=tmp_path,
            env=environment(tmp_path, **values),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            assert arrived.wait(30)
            close(server_url, str(warehouse_url.database))
            lost.set()
            _, said = process.communicate(timeout=60)
    assert process.returncode == 1, said
    complaints = [line for line in said.splitlines() if line.startswith("etl: ")]
    assert len(complaints) == 1
    assert "the database gave up: " in complaints[0]


@pytest.mark.parametrize("words", [("run",), ("status",), ("verify",)])
def test_a_database_that_was_never_there_is_status_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    ended = etl(tmp_path, *words, DATABASE_URL=f"postgresql://me@127.0.0.1:{free_port()}/none")
    assert (ended.status, len(ended.complaints)) == (2, 1)
