"""What goes wrong while bodies are archived: kills, full disks, another archiver, runs that go on meanwhile."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, text

from etl.database.engine import open_engine
from etl.domain.snapshot import Origin
from etl.errors import ArchiveError
from etl.load import manifest, objects
from etl.load.landing import land
from etl.load.locks import lock_source
from tests.conftest import _database
from tests.dump import dump
from tests.faults.archivers import ALL, NO_SPACE, archive_slowly, archive_until, archive_with_little_space
from tests.faults.processes import ended, start
from tests.faults.wards import settled
from tests.load.archiving import archived, bodies, everything, file_of, fill, sha_of, verify
from tests.load.believing import load, observe
from tests.load.worlds import WORLDS, World, moment, snapshot

pytestmark = pytest.mark.slow

POINTS = 4
EVERY_POINT = 40


def shown(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def filled(server_url: URL, template: str) -> Iterator[str]:
    """The name of a warehouse with something to archive, that is only ever cloned."""
    with _database(server_url, template=template) as url:
        fill(open_engine(url))
        yield str(url.database)


@pytest.fixture
def warehouse_url(server_url: URL, filled: str) -> Iterator[URL]:
    """The URL of a warehouse of this test's own, with something to archive."""
    with _database(server_url, template=filled) as url:
        yield url


@pytest.fixture(scope="module")
def moments(server_url: URL, filled: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """What an archiving does when nothing happens to it, in order."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with _database(server_url, template=filled) as url:
        assert ended(start(archive_until, shown(url), str(folder / "a"), -1, str(folder / "log"))) == 0
        yield (folder / "log").read_text().splitlines()


def kill(url: URL, folder: Path, at: int) -> None:
    assert ended(start(archive_until, shown(url), str(folder / "a"), at, str(folder / "log"))) == -signal.SIGKILL


def goes_on(engine: Engine, folder: Path) -> None:
    """Whatever a kill left, nothing is lost; the same again completes it, and once more changes nothing."""
    settled(engine)
    assert verify(engine).agrees
    archived(engine, folder / "a", before=ALL, drop=True)
    assert not any(bodies(engine).values())
    assert verify(engine).agrees
    files = everything(folder / "a")
    assert archived(engine, folder / "a", before=ALL, drop=True).written == 0
    assert everything(folder / "a") == files


def test_an_undisturbed_archiving_passes_every_kind_of_moment(moments: list[str]) -> None:
    assert {"open", "os.mkdir", "os.rename", "commit", "committed"} <= set(moments)
    assert any(what.startswith("UPDATE raw.content") for what in moments)
    assert len(moments) > EVERY_POINT


@pytest.mark.parametrize("point", range(POINTS))
def test_killed_anywhere_nothing_is_lost_and_the_same_again_completes_it(
    warehouse_url: URL, engine: Engine, tmp_path: Path, moments: list[str], point: int
) -> None:
    kill(warehouse_url, tmp_path, (2 * point + 1) * len(moments) // (2 * POINTS))
    goes_on(engine, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("point", range(EVERY_POINT))
def test_killed_at_many_more_points_it_goes_on(
    warehouse_url: URL, engine: Engine, tmp_path: Path, moments: list[str], point: int
) -> None:
    kill(warehouse_url, tmp_path, point * len(moments) // EVERY_POINT)
    goes_on(engine, tmp_path)


@pytest.mark.parametrize("what", ["commit", "committed", "os.rename"])
def test_killed_around_the_last_commit_or_rename_it_goes_on(
    warehouse_url: URL, engine: Engine, tmp_path: Path, moments: list[str], what: str
) -> None:
    kill(warehouse_url, tmp_path, [at for at, each in enumerate(moments) if each == what][-1])
    goes_on(engine, tmp_path)


def test_a_full_disk_is_one_line_and_drops_nothing(warehouse_url: URL, engine: Engine, tmp_path: Path) -> None:
    before = dump(engine)
    process = start(archive_with_little_space, shown(warehouse_url), str(tmp_path / "a"), 20)
    assert ended(process) == NO_SPACE
    assert dump(engine) == before
    goes_on(engine, tmp_path)


@pytest.mark.parametrize("drop", [False, True])
def test_a_damaged_file_of_the_same_name_is_replaced_by_a_proven_copy(
    engine: Engine, tmp_path: Path, *, drop: bool
) -> None:
    file = file_of(tmp_path, sha_of(engine, 1))
    file.parent.mkdir(parents=True)
    file.write_text("rotten")
    archived(engine, tmp_path, before=ALL, drop=drop)
    assert file.read_bytes() != b"rotten"
    goes_on(engine, tmp_path)


@pytest.mark.parametrize("place", ["file", "file/below", "objects-is-a-file"])
def test_a_folder_that_cannot_be_written_is_one_line(engine: Engine, tmp_path: Path, place: str) -> None:
    before = dump(engine)
    (tmp_path / "file").touch()
    (tmp_path / "objects-is-a-file").mkdir()
    (tmp_path / "objects-is-a-file" / objects.OBJECTS).touch()
    with pytest.raises(ArchiveError) as caught:
        archived(engine, tmp_path / place, before=ALL, drop=True)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert dump(engine) == before


def test_two_archivers_at_once_and_a_run_meanwhile(warehouse_url: URL, engine: Engine, tmp_path: Path) -> None:
    """The second archiver steps aside, and what a run shows while bodies are copied is not dropped."""
    begun, go_on = tmp_path / "begun", tmp_path / "go-on"
    process = start(archive_slowly, shown(warehouse_url), str(tmp_path / "a"), str(begun), str(go_on))
    while not begun.exists():
        time.sleep(0.01)
    with pytest.raises(ArchiveError, match="another process archives into it"):
        archived(engine, tmp_path / "a", before=ALL, drop=True)
    with pytest.raises(ArchiveError, match="another process archives this warehouse"):
        archived(engine, tmp_path / "b", before=ALL, drop=True)
    assert observe(engine, "s", 500, WORLDS[0]).is_well
    assert load(engine, "s", 6, World({"openai/m0": ("A", {"prompt": "4"})})).is_well
    go_on.touch()
    assert ended(process) == 0
    assert {sha for sha, is_here in bodies(engine).items() if is_here} == {sha_of(engine, 500), sha_of(engine, 6)}
    assert len([told.restored(tmp_path / "a") for told in manifest.read(tmp_path / "a", "s")]) == len(WORLDS)
    assert verify(engine).agrees


def test_what_is_landed_and_not_loaded_yet_keeps_its_bytes(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE core.snapshot SET status = 'landed' WHERE snapshot_id = 2"))
    assert archived(engine, tmp_path, before=ALL, drop=True).dropped == 3
    assert bodies(engine)[sha_of(engine, 1)]


def test_a_body_that_somebody_is_about_to_show_again_stays(engine: Engine, tmp_path: Path) -> None:
    """The archiver waits for whoever lands, and looks again then."""
    live = replace(snapshot("s", 500, WORLDS[1]), origin=Origin.RUN)
    waits = text("SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted")
    with ThreadPoolExecutor(1) as pool, engine.connect() as landing, engine.connect() as watching:
        lock_source(landing, "s")
        land(landing, live, landed_at=moment(500))
        archiver = pool.submit(archived, engine, tmp_path, before=ALL, drop=True)
        while not watching.scalar(waits):
            watching.rollback()
            assert not archiver.done()
        landing.commit()
        assert archiver.result().dropped == 3
    assert bodies(engine)[sha_of(engine, 1)]
