"""The embedded server through its life: start, share, stop, crash, recover."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from etl.database.cluster import SUPERUSER
from etl.database.embedded import EmbeddedServer
from tests.database.conftest import ServerFactory
from tests.database.starter import start_elsewhere

_SECONDS = 30


def connect(url: str, **changes: Any) -> psycopg.Connection:
    """A connection by the URL that a user would get."""
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True, **changes)


def wait_until(true: Callable[[], object]) -> None:
    """Wait for it, closely: what happens next is a matter of milliseconds."""
    end = time.monotonic() + _SECONDS
    while not true():
        assert time.monotonic() < end
        time.sleep(0.002)


def pid_of(server: EmbeddedServer) -> int:
    """The pid of a server that runs."""
    pid = server.status().pid
    assert pid is not None
    return pid


def test_a_second_ensure_finds_the_server_at_once(server: EmbeddedServer) -> None:
    url = server.ensure()
    begin = time.monotonic()
    assert server.ensure() == url == server.url()
    assert time.monotonic() - begin < 0.5
    assert url.startswith("postgresql+psycopg://etl_owner:")
    assert url.endswith(f"@127.0.0.1:{server.settings.port}/etl")


def test_before_the_first_start_there_is_nothing_to_see_or_to_stop(server: EmbeddedServer) -> None:
    status = server.status()
    assert (status.running, status.pid, status.version, server.url(), server.stop()) == (False, None, None, None, False)
    assert not server.settings.home.exists()


@pytest.mark.slow
def test_the_status_of_a_running_server_has_its_pid_and_version(server: EmbeddedServer) -> None:
    server.ensure()
    status = server.status()
    assert status.running
    assert status.data.is_relative_to(server.settings.home)
    assert status.pid == int((status.data / "postmaster.pid").read_text().split()[0])
    assert status.version is not None
    assert status.version.startswith("18.")
    assert "ready to accept connections" in status.log.read_text()


@pytest.mark.slow
def test_the_database_speaks_utf8_and_utc_and_keeps_its_promises(server: EmbeddedServer) -> None:
    with connect(server.ensure(SUPERUSER)) as connection:
        names = (
            "server_encoding",
            "TimeZone",
            "fsync",
            "data_checksums",
            "listen_addresses",
            "unix_socket_directories",
        )
        values = [connection.execute("select current_setting(%s)", [name]).fetchone() for name in names]
        assert values == [("UTF8",), ("UTC",), ("on",), ("on",), ("127.0.0.1",), ("",)]
        assert connection.execute("select upper('é')").fetchone() == ("É",)


def test_a_stop_and_a_start_keep_data_password_and_port(server: EmbeddedServer) -> None:
    url = server.ensure()
    with connect(url) as connection:
        connection.execute("create table kept as select 42 as answer")
    assert server.stop()
    assert not server.stop()
    assert server.url() is None
    assert server.ensure() == url
    with connect(url) as connection:
        assert connection.execute("select answer from kept").fetchone() == (42,)


@pytest.mark.slow
def test_four_processes_that_start_at_once_get_one_server(server: EmbeddedServer) -> None:
    starters = [start_elsewhere(server) for _ in range(4)]
    answers = [starter.communicate(timeout=_SECONDS) for starter in starters]
    assert {url.strip() for url, _ in answers} == {server.url()}, answers
    log = server.status().log.read_text()
    assert log.count("ready to accept connections") == 1


@pytest.mark.slow
def test_the_server_outlives_the_process_group_of_its_starter(server: EmbeddedServer) -> None:
    starter = start_elsewhere(server, then="wait")
    assert starter.stdout is not None
    url = starter.stdout.readline().strip()
    os.killpg(starter.pid, signal.SIGKILL)
    starter.communicate()
    assert server.url() == url


def test_a_killed_server_recovers_what_was_committed(server: EmbeddedServer) -> None:
    url = server.ensure()
    with connect(url) as connection:
        connection.execute("create table kept as select 42 as answer")
        os.kill(pid_of(server), signal.SIGKILL)
        assert server.ensure() == url
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    with connect(url) as connection:
        assert connection.execute("select answer from kept").fetchone() == (42,)


@pytest.mark.slow
def test_a_killed_backend_does_not_end_the_server(server: EmbeddedServer) -> None:
    url, pid = server.ensure(), pid_of(server)
    with connect(url) as connection:
        os.kill(connection.info.backend_pid, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select pg_sleep(10)")
    assert server.ensure() == url
    assert pid_of(server) == pid


@pytest.mark.slow
def test_a_starter_killed_in_the_middle_of_initdb_leaves_nothing_behind(server: EmbeddedServer) -> None:
    home = server.settings.home
    starter = start_elsewhere(server)
    wait_until(lambda: list(home.glob("postgres.new-*/data/base")))
    starter.kill()
    starter.communicate()
    assert list(home.glob("postgres.new-*"))
    assert not (home / "postgres").exists()
    with connect(server.ensure()):
        assert not list(home.glob("postgres.new-*"))


@pytest.mark.slow
def test_a_starter_killed_in_the_middle_of_a_start_leaves_one_server(server: EmbeddedServer) -> None:
    starter = start_elsewhere(server)
    wait_until((server.settings.home / "postgres").exists)
    starter.kill()
    starter.communicate()
    with connect(server.ensure()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


@pytest.mark.slow
def test_a_killed_initdb_is_an_error_and_the_next_start_succeeds(server: EmbeddedServer) -> None:
    starter = start_elsewhere(server)
    children = Path(f"/proc/{starter.pid}/task/{starter.pid}/children")
    wait_until(lambda: list(server.settings.home.glob("postgres.new-*/data/base")))
    os.kill(int(children.read_text().split()[0]), signal.SIGKILL)
    _, error = starter.communicate(timeout=_SECONDS)
    assert starter.returncode == 1
    assert "initdb" in error
    assert "Traceback" not in error
    server.ensure()


@pytest.mark.slow
def test_a_pid_file_that_names_another_program_stops_nobody(server: EmbeddedServer) -> None:
    url = server.ensure()
    data = server.status().data
    file = data / "postmaster.pid"
    text, owner = file.read_text(), data.stat().st_uid
    server.stop()
    user = None if os.geteuid() == owner else owner
    with subprocess.Popen(["/bin/sleep", "60"], user=user, cwd="/") as stranger:
        file.write_text("\n".join([str(stranger.pid), *text.splitlines()[1:]]) + "\n")
        assert not server.status().running
        assert not server.stop()
        assert server.ensure() == url
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.slow
@pytest.mark.parametrize("text", ["", "12", "no number\n/data\n1\nno port\n"])
def test_a_pid_file_that_is_no_longer_whole_does_not_stop_a_start(server: EmbeddedServer, text: str) -> None:
    url = server.ensure()
    server.stop()
    (server.status().data / "postmaster.pid").write_text(text)
    assert server.ensure() == url


@pytest.mark.slow
def test_the_server_of_a_copied_folder_is_not_mistaken_for_the_original(
    server: EmbeddedServer, make_server: ServerFactory, tmp_path: Path
) -> None:
    server.ensure()
    shutil.copytree(server.settings.home, tmp_path / "copy")
    copied = make_server(tmp_path / "copy")
    (copied.status().data / "postmaster.pid").write_text(
        (server.status().data / "postmaster.pid").read_text().replace(str(pid_of(server)), "1")
    )
    assert not copied.status().running
    assert not copied.stop()
    assert server.status().running
