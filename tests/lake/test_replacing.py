"""A second export takes the place of the first whole or not at all, and nothing that is not its own is touched."""

import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, text

from etl.database.lock import trying
from etl.errors import ConfigurationError, ExportError
from etl.lake.manifest import Kind
from etl.lake.place import LOCK, Place
from tests.database.roles import as_owner
from tests.lake.exporting import KINDS, SECOND, believed, both, exported, fill, manifest, priced, rows
from tests.load.believing import load
from tests.processes import environment

THERE = ("price_history", "model_history", "price_change", "snapshot")


def files(place: Path) -> dict[str, tuple[int, int]]:
    """Every Parquet file of a place, with its inode and its time."""
    found = {str(path.relative_to(place)): path.stat() for path in place.rglob("*.parquet")}
    return {path: (stat.st_ino, stat.st_mtime_ns) for path, stat in found.items()}


@both
def test_nothing_is_written_again_that_is_the_same(engine: Engine, tmp_path: Path, kind: Kind) -> None:
    fill(engine)
    assert exported(engine, tmp_path, kind).written == len(files(tmp_path))
    before = files(tmp_path)
    assert exported(engine, tmp_path, kind).written == 0
    assert files(tmp_path) == before


def test_only_the_partitions_that_differ_are_written_and_what_they_were_is_removed(
    engine: Engine, tmp_path: Path
) -> None:
    fill(engine)
    fill(engine, "t")
    exported(engine, tmp_path)
    before = files(tmp_path)
    assert load(engine, "t", 90, SECOND).is_well
    done = exported(engine, tmp_path)
    after = files(tmp_path)
    assert set(after) == set(manifest(tmp_path).files)
    new, gone = after.keys() - before.keys(), before.keys() - after.keys()
    assert done.written == len(new) == 1
    assert {path.partition("/")[0] for path in new} == {"snapshot"}
    assert gone == set()
    assert load(engine, "t", 95, priced("9")).is_well
    exported(engine, tmp_path)
    assert {path: files(tmp_path)[path] for path in before if "source=s" in path} == {
        path: stat for path, stat in before.items() if "source=s" in path
    }
    assert set(files(tmp_path)) == set(manifest(tmp_path).files)
    for name in THERE:
        assert rows(tmp_path, name) == believed(engine, name)


def test_a_file_that_was_lost_or_cut_is_written_again(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    exported(engine, tmp_path)
    lost, cut, *_ = sorted(tmp_path.rglob("*.parquet"))
    lost.unlink()
    cut.write_bytes(cut.read_bytes()[:-1])
    assert exported(engine, tmp_path).written == 2
    assert set(files(tmp_path)) == set(manifest(tmp_path).files)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_killed_half_way_the_former_export_stands_and_the_next_one_completes(
    engine: Engine, warehouse_url: URL, tmp_path: Path, kind: Kind
) -> None:
    fill(engine)
    place = tmp_path / "lake"
    exported(engine, place, kind)
    before = {name: rows(place, name) for name in THERE}
    former = (place / "manifest.json").read_bytes()
    assert load(engine, "s", 70, priced("7")).is_well
    for table in (1, 5, 13):
        assert killed(tmp_path, warehouse_url, kind, table) == -signal.SIGKILL
        assert (place / "manifest.json").read_bytes() == former
        assert {name: rows(place, name) for name in THERE} == before
    (place / "price_history" / ("0" * 64 + ".parquet.part")).write_bytes(b"cut off")
    exported(engine, place, kind)
    assert {name: rows(place, name) for name in THERE} == {name: believed(engine, name) for name in THERE}
    if kind == "parquet":
        assert {str(path.relative_to(place)) for path in place.rglob("*.parquet*")} == set(manifest(place).files)


@pytest.mark.slow
def test_a_first_export_that_was_killed_is_begun_again(engine: Engine, warehouse_url: URL, tmp_path: Path) -> None:
    fill(engine)
    for kind in KINDS:
        folder = tmp_path / kind
        folder.mkdir()
        assert killed(folder, warehouse_url, kind, 5) == -signal.SIGKILL
        assert not (folder / "lake" / "manifest.json").exists()
        exported(engine, folder / "lake", kind)
        assert rows(folder / "lake", "price_history") == believed(engine, "price_history")


@pytest.mark.slow
def test_a_disk_that_is_full_leaves_the_former_export(engine: Engine, warehouse_url: URL, tmp_path: Path) -> None:
    fill(engine)
    place = tmp_path / "lake"
    exported(engine, place)
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    assert load(engine, "s", 70, priced("7")).is_well
    done = etl_with_small_files(tmp_path, warehouse_url)
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith(f"etl: {place}: ")
    assert line.endswith("File too large; what was exported before stands, mend it or name another place")
    assert {path: path.read_bytes() for path in before} == before
    exported(engine, place)
    assert rows(place, "price_history") == believed(engine, "price_history")


@both
def test_what_is_not_ours_stays(engine: Engine, tmp_path: Path, kind: Kind) -> None:
    fill(engine)
    exported(engine, tmp_path, kind)
    foreign = [
        tmp_path / "notes.txt",
        tmp_path / "price_history" / "mine.parquet",
        tmp_path / "price_history" / ("a" * 64 + ".parquet"),
        tmp_path / "other" / ("b" * 64 + ".parquet"),
    ]
    for path in foreign:
        path.parent.mkdir(exist_ok=True)
        path.write_text("not ours")
    assert load(engine, "s", 70, priced("7")).is_well
    exported(engine, tmp_path, kind)
    assert [path.read_text() for path in foreign] == ["not ours"] * len(foreign)


def test_a_folder_of_somebody_else_is_refused(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("mine")
    with pytest.raises(ConfigurationError, match="holds other things and no export: name an empty folder"):
        exported(engine, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


def test_an_export_of_another_sort_is_not_replaced(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    exported(engine, tmp_path)
    with pytest.raises(ConfigurationError, match="holds an export as parquet, not as iceberg"):
        exported(engine, tmp_path, "iceberg")
    with pytest.raises(ConfigurationError, match="holds an export of all sources"):
        exported(engine, tmp_path, sources=("s",))
    (tmp_path / "manifest.json").write_text('{"version": 2}')
    with pytest.raises(ConfigurationError, match="version 2, and this version writes 1"):
        exported(engine, tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(ConfigurationError, match=r"manifest.json is damaged"):
        exported(engine, tmp_path)


def test_a_moment_that_no_file_can_hold_is_named(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    exported(engine, tmp_path)
    former = (tmp_path / "manifest.json").read_bytes()
    with as_owner(engine).begin() as connection:
        connection.execute(text("UPDATE core.model SET released_at = 'infinity'"))
    with pytest.raises(ExportError, match=r"^mart.model_history holds what no file can: .*infinity"):
        exported(engine, tmp_path)
    assert (tmp_path / "manifest.json").read_bytes() == former


def test_two_do_not_export_into_one_folder(engine: Engine, tmp_path: Path) -> None:
    exported(engine, tmp_path)
    with trying(tmp_path / LOCK), pytest.raises(ExportError, match="another process exports into it"):
        exported(engine, tmp_path)


def test_a_place_may_be_a_url(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    exported(engine, f"file://{tmp_path}/with%20space")
    assert rows(tmp_path / "with space", "price_history") == believed(engine, "price_history")
    exported(engine, "memory://lake/prices")
    assert exported(engine, "memory://lake/prices").written == 0
    assert load(engine, "s", 70, priced("7")).is_well
    done = exported(engine, "memory://lake/prices")
    there = Place.at("memory://lake/prices").listed()
    assert {path for path in there if path.endswith(".parquet")} == set(done.manifest.files)
    with pytest.raises(ConfigurationError, match="can hold no catalog"):
        exported(engine, "memory://lake/tables", "iceberg")


KILLED = """
import os, signal, sys
from sqlalchemy import make_url
from etl.database.engine import open_engine
from tests.lake.exporting import exported

def progress(done, _):
    if done == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

exported(open_engine(make_url(os.environ["DATABASE_URL"])), "lake", sys.argv[1], progress=progress)
"""


def killed(folder: Path, url: URL, kind: Kind, table: int) -> int:
    """Export into ``lake`` and be killed at a table; gives the status of the process."""
    environ = environment(folder, DATABASE_URL=url.render_as_string(hide_password=False))
    done = subprocess.run([sys.executable, "-c", KILLED, kind, str(table)], cwd=folder, env=environ, check=False)
    return done.returncode


def etl_with_small_files(folder: Path, url: URL) -> subprocess.CompletedProcess[str]:
    """Export into ``lake`` where no file may grow beyond 4,000 bytes."""
    return subprocess.run(
        [sys.executable, "-m", "etl", "export", "-o", "lake"],
        cwd=folder,
        # What Python compiled would be cut off as well, and be believed by whoever comes next.
        env=environment(folder, DATABASE_URL=url.render_as_string(hide_password=False), PYTHONDONTWRITEBYTECODE="1"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, 4_000)),
        capture_output=True,
        text=True,
        check=False,
    )
