"""The home of the embedded server is ours alone: nobody else can have it read, write or run what is theirs."""

import os
from pathlib import Path

import pytest

from etl.database.cluster import Cluster
from etl.database.embedded import EmbeddedServer, EmbeddedSettings
from etl.errors import DatabaseError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder that is there and has nothing in it."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("ask", ["ensure", "url", "status", "stop"])
def test_a_home_that_others_may_write_is_refused(home: Path, ask: str) -> None:
    home.chmod(0o777)
    with pytest.raises(DatabaseError) as raised:
        getattr(EmbeddedServer(EmbeddedSettings(home=home)), ask)()
    assert str(raised.value) == (
        f"ETL_HOME {home} can be written by every user: `chmod o-w {home}`, or set ETL_HOME to a folder of your own"
    )
    assert list(home.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a folder away")
def test_a_home_of_another_user_is_refused(home: Path) -> None:
    os.chown(home, 12345, 12345)
    with pytest.raises(DatabaseError, match=f"ETL_HOME {home} belongs to user 12345: `chown` it to user 0 if you"):
        EmbeddedServer(EmbeddedSettings(home=home)).ensure()
    assert list(home.iterdir()) == []


def test_the_log_is_not_written_through_a_link(home: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (home / "postgres.log").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        Cluster(home).open_log()
    assert victim.read_text() == "untouched"
