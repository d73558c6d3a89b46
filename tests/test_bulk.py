"""A backfill in bulk makes the history that taking one snapshot after the other makes."""

import json
import multiprocessing
import pickle
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import URL, Engine, text

from etl import bulk
from etl.backfill import Saved, snapshots
from etl.database.engine import open_engine
from etl.domain.snapshot import Origin, Page, Snapshot
from etl.errors import ConfigurationError, ConflictError
from etl.load import landing
from etl.load.parcel import parcel_of
from etl.loading import Loading
from etl.pipeline import Pipeline
from etl.preparing import Preparer
from etl.result import Result
from etl.sources.registry import kinds
from tests.conftest import _database
from tests.dump import dump
from tests.load.believing import Ticking
from tests.load.registries import Registry, lives
from tests.load.test_parts import MODELS, believed, registry
from tests.load.worlds import START
from tests.recorded import CATALOGS, needs_recordings

KIND = "helicone_registry"


def save(folder: Path, bodies: Sequence[bytes]) -> list[Path]:
    """Bodies as files of one day each."""
    folder.mkdir(parents=True)
    files = [folder / f"{START + timedelta(days=day):%Y%m%dT%H%M%SZ}.json" for day in range(len(bodies))]
    for file, body in zip(files, bodies, strict=True):
        file.write_bytes(body)
    return files


def one_by_one(engine: Engine, name: str, kind: str, paths: Sequence[Path]) -> list[tuple[str, str | None]]:
    """Take each as a run would."""
    pipeline, results = Pipeline(engine, Ticking()), list[Result]()
    for snapshot in snapshots(name, kind, paths):
        try:
            results.append(pipeline.take(kinds()[kind](name), snapshot))
        except ConflictError:
            results.append(Result(source=name, status="failed"))
    return outcomes(results)


def in_bulk(engine: Engine, name: str, kind: str, paths: Sequence[Path], workers: int) -> list[tuple[str, str | None]]:
    found = snapshots(name, kind, paths)
    return outcomes(Pipeline(engine, Ticking()).backfill(kinds()[kind](name), found, workers=workers))


def in_chunks(engine: Engine, name: str, found: Saved, size: int) -> list[tuple[str, str | None]]:
    """What workers and loader do, in this process: two workers take turns."""
    source, results = kinds()[KIND](name), list[Result]()
    workers = [Preparer(source, {}), Preparer(source, {})]
    ticking = Ticking()
    loading = Loading(begin=engine.begin, aside=engine.begin, source=source, now=lambda _: ticking(), confirm=None)
    for number, start in enumerate(range(0, len(found), size)):
        before = found.entries[start - 1] if start else None
        sent = workers[number % 2].chunk(before, found.entries[start : start + size])
        chunk, error = pickle.loads(pickle.dumps(sent))  # noqa: S301  as a pipe does
        assert error is None
        results += loading.take_all(chunk)
    return outcomes(results)


def outcomes(results: Iterator[Result] | Sequence[Result]) -> list[tuple[str, str | None]]:
    return [(result.status, result.reason) for result in results]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=lives(), broken=st.sets(st.integers(0, 5), max_size=2), size=st.integers(1, 4))
def test_chunks_make_the_history_that_single_snapshots_make(
    engine: Engine, tmp_path: Path, days: list[Registry], broken: set[int], size: int
) -> None:
    bodies = [b"<html>" if day in broken else world.body() for day, world in enumerate(days)]
    files = save(tmp_path / str(uuid.uuid4()), bodies)
    chunks, single = (f"{way} {uuid.uuid4()}" for way in ("chunks", "single"))
    assert in_chunks(engine, chunks, snapshots(chunks, KIND, files), size) == one_by_one(engine, single, KIND, files)
    Pipeline(engine, Ticking()).settle()  # Suspects are judged after loads, and the index leaves them out.
    assert believed(engine, chunks) == believed(engine, single)


def life(length: int) -> list[bytes]:
    """A registry of which one model changes its price each day, one day is unreadable and one is as the day before."""
    worlds = []
    for day in range(length):
        models = list(MODELS)
        models[day % 5] = (f"m{day % 5}", "A", (("groq", f"{day}e-6", "2e-6", True),))
        worlds.append(registry(*models).body())
    worlds[5], worlds[7] = b"{}", worlds[6]
    return worlds


@pytest.mark.parametrize("workers", [1, 3])
def test_worker_processes_make_the_history_that_single_snapshots_make(
    engine: Engine, tmp_path: Path, workers: int
) -> None:
    files = save(tmp_path / "saved", life(50))
    done = in_bulk(engine, "bulk", KIND, [tmp_path / "saved"], workers)
    assert done == one_by_one(engine, "single", KIND, files)
    assert [status for status, _ in done].count("failed") == 1
    Pipeline(engine, Ticking()).settle()  # Suspects are judged after loads, and the index leaves them out.
    assert believed(engine, "bulk") == believed(engine, "single")
    assert multiprocessing.active_children() == []


def test_the_same_again_changes_no_row_but_gives_what_failed_another_chance(engine: Engine, tmp_path: Path) -> None:
    save(tmp_path / "saved", life(20))
    first = in_bulk(engine, "s", KIND, [tmp_path / "saved"], 1)
    before = dump(engine)
    assert in_bulk(engine, "s", KIND, [tmp_path / "saved"], 1) == first
    assert dump(engine) == before


def test_another_content_of_the_same_time_fails_alone(engine: Engine, tmp_path: Path) -> None:
    [first, *_] = save(tmp_path / "saved", life(20))
    other = tmp_path / "saved" / first.stem
    other.mkdir()
    (other / "page.json").write_bytes(registry(*MODELS[:2]).body())
    unread = tmp_path / "saved" / f"{START + timedelta(days=5):%Y%m%dT%H%M%SZ}"
    unread.mkdir()
    (unread / "page.json").write_bytes(registry(*MODELS[:3]).body())
    done = in_bulk(engine, "bulk", KIND, [tmp_path / "saved"], 1)
    assert sorted(status for status, _ in done[:2]) == ["failed", "loaded"]
    one_by_one(engine, "single", KIND, [tmp_path / "saved"])
    Pipeline(engine, Ticking()).settle()  # Suspects are judged after loads, and the index leaves them out.
    assert believed(engine, "bulk") == believed(engine, "single")


def test_what_a_crash_left_behind_is_loaded_first(engine: Engine, tmp_path: Path) -> None:
    files = save(tmp_path / "saved", life(20))
    with engine.begin() as connection:
        parcels = [parcel_of(each) for each in snapshots("bulk", KIND, files[:4])]
        landing.land_all(connection, parcels, landed_at=Ticking()())
    in_bulk(engine, "bulk", KIND, files[8:], 1)
    in_bulk(engine, "bulk", KIND, files[4:8], 1)
    one_by_one(engine, "single", KIND, files)
    assert believed_now(engine, "bulk") == believed_now(engine, "single")


def believed_now(engine: Engine, name: str) -> dict[str, list[str]]:
    """The believed versions, whatever was believed before."""
    with engine.connect() as connection:
        return {
            table: sorted(
                connection.scalars(
                    text(
                        f"SELECT (to_jsonb(t) - '{{version_id,source,known_from,end_known_from}}'::text[])::text"
                        f" FROM {table} t WHERE source = :s AND known_to IS NULL"
                    ),
                    {"s": name},
                ).all()
            )
            for table in ("core.price", "core.model", "core.endpoint", "core.provider")
        }


def test_a_worker_that_is_killed_is_done_without(engine: Engine, tmp_path: Path) -> None:
    files = save(tmp_path / "saved", life(60))
    found = snapshots("bulk", KIND, files)
    results = Pipeline(engine, Ticking()).backfill(kinds()[KIND]("bulk"), found, workers=2)
    done = [next(results)]
    for child in multiprocessing.active_children():
        child.kill()
    done += results
    assert outcomes(done) == one_by_one(engine, "single", KIND, files)
    Pipeline(engine, Ticking()).settle()  # Suspects are judged after loads, and the index leaves them out.
    assert believed(engine, "bulk") == believed(engine, "single")


def test_a_file_that_vanishes_ends_the_backfill_after_those_before_it(engine: Engine, tmp_path: Path) -> None:
    files = save(tmp_path / "saved", life(20))
    found = snapshots("s", KIND, files)
    files[18].unlink()
    results = Pipeline(engine, Ticking()).backfill(kinds()[KIND]("s"), found, workers=1)
    done: list[Result] = []
    with pytest.raises(ConfigurationError, match="cannot be read: No such file or directory"):
        done.extend(results)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM core.snapshot WHERE status <> 'landed'")) == 18
    assert multiprocessing.active_children() == []


@dataclass(frozen=True)
class Noting:
    """A saved snapshot of 100 KB that cannot be packed; notes that it is read."""

    time: datetime
    notes: Path
    size: int = 100_000

    def read(self, source: str, kind: str) -> Snapshot:
        with self.notes.open("a") as notes:
            notes.write("read\n")
        filler = Random(str(self.time)).randbytes(self.size // 2).hex()  # noqa: S311  noise
        body = json.dumps({"data": {"models": [], "total": 0}, "filler": filler}).encode()
        page = Page(number=1, url="x", status=200, body=body, fetched_at=self.time)
        return Snapshot(source=source, kind=kind, observed_at=self.time, origin=Origin.BACKFILL, pages=(page,))


def test_workers_read_no_further_ahead_than_one_chunk_each(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    entries = [Noting(START + timedelta(days=day), notes) for day in range(20 * bulk.MOST)]
    chunks = bulk.prepared(kinds()[KIND]("s"), entries, {}, workers=2)  # type: ignore[arg-type]
    assert len(next(chunks)) == bulk.MOST
    read = 0
    while read != (read := len(notes.read_text().splitlines())):
        time.sleep(1)
    # One that was taken, one that waits with each worker; and each read the one before its chunk.
    assert read <= 3 * bulk.MOST + 3
    chunks.close()  # type: ignore[attr-defined]
    assert multiprocessing.active_children() == []


@pytest.mark.slow
@needs_recordings
@pytest.mark.parametrize("kind", sorted(kinds()))
def test_recorded_catalogs_make_the_same_history_in_bulk(
    engine: Engine, server_url: URL, template: str, kind: str
) -> None:
    done = in_bulk(engine, "s", kind, [CATALOGS / kind], 2)
    with _database(server_url, template=template) as url:
        assert done == one_by_one(open_engine(url), "s", kind, [CATALOGS / kind])
        assert believed(engine, "s") == believed(open_engine(url), "s")
    before = dump(engine)
    in_bulk(engine, "s", kind, [CATALOGS / kind], 2)
    assert dump(engine) == before
