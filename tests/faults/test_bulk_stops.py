"""A backfill with worker processes that is stopped leaves nobody behind, nothing half, and is gone on with."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import URL, Engine, text

from etl.bulk import WORTH
from tests.cli.conftest import named
from tests.faults.wards import settled
from tests.load.believing import believed
from tests.load.worlds import World, body, history, moment
from tests.processes import environment

DAYS = 40
WORLDS = {
    day: World({f"openai/m{number}": ("A", {"prompt": str(day + number % 3)}) for number in range(9)})
    for day in range(DAYS)
}
SOURCE = "bifrost"

pytestmark = pytest.mark.slow


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Snapshots so large, with blanks, that workers pay."""
    folder = tmp_path / "saved"
    folder.mkdir()
    for day, world in WORLDS.items():
        (folder / f"{moment(day):%Y%m%dT%H%M%SZ}.json").write_bytes(body(world).ljust(WORTH // DAYS + 1))
    return folder


def start(folder: Path, url: URL, saved: Path) -> subprocess.Popen[str]:
    """The command in a process group of its own, as a shell starts it."""
    return subprocess.Popen(
        [sys.executable, "-m", "etl", "backfill", SOURCE, str(saved)],
        cwd=folder,
        env=environment(folder, DATABASE_URL=named(url)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def members(group: int) -> list[int]:
    """The processes of a group that still do something."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = entry.read_text().rpartition(") ")[2].split()[:3]
        except OSError:
            continue
        if int(its_group) == group and state != "Z":
            found.append(int(entry.parent.name))
    return found


def assert_nobody_left(group: int, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while left := members(group):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


class Stop(NamedTuple):
    """A signal, to the whole process group as a terminal sends it or to the command alone, and the status after it."""

    how: signal.Signals
    everybody: bool
    status: int


STOPS = (
    Stop(signal.SIGINT, everybody=True, status=130),
    Stop(signal.SIGINT, everybody=False, status=130),
    Stop(signal.SIGTERM, everybody=True, status=-signal.SIGTERM),
    Stop(signal.SIGTERM, everybody=False, status=-signal.SIGTERM),
    Stop(signal.SIGKILL, everybody=False, status=-signal.SIGKILL),
)


def stopped(process: subprocess.Popen[str], engine: Engine, stop: Stop) -> str:
    """Stop it once some are loaded; gives what it said."""
    loaded = text("SELECT count(*) >= 5 FROM core.snapshot WHERE status = 'loaded'")
    with engine.connect() as connection:
        while not connection.scalar(loaded):
            connection.rollback()
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
    assert len(members(process.pid)) > 1
    (os.killpg if stop.everybody else os.kill)(process.pid, stop.how)
    return process.communicate(timeout=30)[1]


@pytest.mark.parametrize("stop", STOPS, ids=str)
def test_stopped_it_leaves_nobody_and_goes_on_from_there(
    engine: Engine, warehouse_url: URL, tmp_path: Path, saved: Path, stop: Stop
) -> None:
    process = start(tmp_path, warehouse_url, saved)
    said = stopped(process, engine, stop)
    assert process.returncode == stop.status, said
    assert "Traceback" not in said
    assert "Warning" not in said
    assert_nobody_left(process.pid)
    settled(engine)
    with engine.connect() as connection:
        counted = connection.scalars(text("SELECT observed_at FROM core.snapshot WHERE status = 'loaded'")).all()
    days = {(at - moment(0)).days for at in counted}
    assert days == set(range(len(days)))
    assert len(days) < DAYS
    assert believed(engine, SOURCE) == history({day: WORLDS[day] for day in days})
    again = start(tmp_path, warehouse_url, saved)
    assert again.communicate(timeout=120)[0].count(" loaded ") == DAYS
    assert again.returncode == 0
    assert believed(engine, SOURCE) == history(WORLDS)
    assert_nobody_left(again.pid)
