"""Archived bodies: copied, proven, dropped only then, and read back by everything that reads bodies."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from etl.backfill import snapshots
from etl.domain.snapshot import Origin, Page, Snapshot
from etl.errors import FetchError, OutOfReachError
from etl.explanation import explain
from etl.load import manifest, sightings
from etl.load.archive import restore
from etl.pipeline import Pipeline
from etl.sources.registry import kinds
from tests.dump import dump
from tests.load.archiving import (
    OLD,
    archived,
    bodies,
    everything,
    file_of,
    fill,
    history,
    sha_of,
    verify,
)
from tests.load.believing import Ticking, believed, load, observe
from tests.load.worlds import WORLDS, World, moment, timelines
from tests.load.worlds import history as oracle


def test_nothing_is_dropped_by_default(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    before = dump(engine)
    done = archived(engine, tmp_path)
    assert (done.snapshots, done.bodies, done.written, done.dropped) == (3, 3, 3, 0)
    assert dump(engine) == before
    assert all(bodies(engine).values())


def test_what_is_old_leaves_the_database_when_asked_and_verify_still_agrees(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    assert verify(engine).agrees
    done = archived(engine, tmp_path, drop=True)
    assert done.dropped == 2
    assert {sha for sha, is_here in bodies(engine).items() if not is_here} == {sha_of(engine, 1), sha_of(engine, 2)}
    assert verify(engine).agrees
    assert believed(engine, "s") == oracle(WORLDS)


@pytest.mark.slow
def test_a_body_that_a_younger_snapshot_shows_is_copied_and_stays(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    archived(engine, tmp_path, drop=True)
    assert file_of(tmp_path, sha_of(engine, 0)).exists()
    assert bodies(engine)[sha_of(engine, 4)]


@pytest.mark.slow
def test_sizes_are_known_of_archived_bodies_too(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    sizes = text("SELECT bytes FROM mart.snapshot ORDER BY observed_at")
    with engine.connect() as connection:
        before = connection.scalars(sizes).all()
        archived(engine, tmp_path, drop=True)
        assert connection.scalars(sizes).all() == before


@pytest.mark.slow
def test_archiving_again_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    archived(engine, tmp_path, drop=True)
    files, rows = everything(tmp_path), dump(engine)
    again = archived(engine, tmp_path, drop=True)
    assert (again.snapshots, again.written, again.dropped) == (0, 0, 0)
    assert (everything(tmp_path), dump(engine)) == (files, rows)


@pytest.mark.slow
def test_what_is_archived_later_joins_what_is_there(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    archived(engine, tmp_path, before=moment(1), drop=True)
    first = everything(tmp_path)
    assert archived(engine, tmp_path, drop=True).snapshots == 2
    assert first.items() <= everything(tmp_path).items()
    assert [told.observed_at for told in manifest.read(tmp_path, "s")] == [moment(day) for day in range(OLD)]


@pytest.mark.slow
def test_a_second_archive_is_whole_although_the_bodies_were_dropped(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    archived(engine, tmp_path / "one", drop=True)
    assert archived(engine, tmp_path / "two", drop=True).written == 3
    (tmp_path / "one").rename(tmp_path / "lost")
    assert verify(engine).agrees


@pytest.mark.slow
def test_an_archive_is_found_where_it_was_moved_to(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    archived(engine, tmp_path / "here", drop=True)
    (tmp_path / "here").rename(tmp_path / "there")
    verdict = verify(engine)
    assert len(verdict.unreadable) == 2
    assert verdict.unreadable[0].startswith(
        f"snapshot 2: the body {sha_of(engine, 1)} is archived and not in {tmp_path}/here: mount"
    )
    assert verify(engine, archive=tmp_path / "there").agrees


@pytest.mark.slow
def test_a_history_is_not_corrected_while_bodies_are_out_of_reach(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    archived(engine, tmp_path / "here", drop=True)
    (tmp_path / "here").rename(tmp_path / "there")
    before = dump(engine)
    with pytest.raises(OutOfReachError, match="ETL_ARCHIVE"):
        verify(engine, is_applied=True)
    assert dump(engine) == before


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"", b"\x28\xb5\x2f\xfd garbage", None])
def test_a_damaged_object_is_named_and_an_intact_copy_is_preferred(
    engine: Engine, tmp_path: Path, content: bytes | None
) -> None:
    fill(engine)
    archived(engine, tmp_path / "one", drop=True)
    sha, other = sha_of(engine, 1), sha_of(engine, 2)
    file = file_of(tmp_path / "one", sha)
    good = file.read_bytes()
    file.write_bytes(file_of(tmp_path / "one", other).read_bytes() if content is None else content)
    [said] = verify(engine).unreadable
    assert f"the body {sha} is archived, and {file} is damaged" in said
    file.write_bytes(good)
    archived(engine, tmp_path / "two")
    file.write_bytes(b"")
    assert verify(engine).agrees


def test_a_run_needs_no_archive(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    archived(engine, tmp_path / "here", before=moment(400), drop=True)
    (tmp_path / "here").rename(tmp_path / "gone")
    assert not any(bodies(engine).values())
    assert observe(engine, "s", 500, World({"openai/m0": ("A", {"prompt": "9"})})).status == "loaded"
    assert observe(engine, "s", 501, WORLDS[4]).status == "loaded"


@pytest.mark.slow
def test_an_archived_body_that_a_gateway_shows_again_comes_back(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    archived(engine, tmp_path, before=moment(400), drop=True)
    assert observe(engine, "s", 500, WORLDS[4]).status == "unchanged"
    assert [sha for sha, is_here in bodies(engine).items() if is_here] == [sha_of(engine, 500)]
    assert archived(engine, tmp_path, before=moment(400), drop=True).dropped == 0
    assert archived(engine, tmp_path, before=moment(501), drop=True).dropped == 1
    assert verify(engine).agrees


@pytest.mark.slow
def test_a_late_snapshot_is_fitted_between_archived_ones_or_fails_and_gets_another_chance(
    engine: Engine, tmp_path: Path
) -> None:
    late = World({"openai/m0": ("Z", {"prompt": "7"})})
    fill(engine, worlds={day: world for day, world in WORLDS.items() if day != 1})
    archived(engine, tmp_path / "here", before=moment(400), drop=True)
    (tmp_path / "here").rename(tmp_path / "gone")
    failed = load(engine, "s", 1, late)
    assert failed.status == "failed"
    assert "ETL_ARCHIVE" in str(failed.reason)
    (tmp_path / "gone").rename(tmp_path / "here")
    assert load(engine, "s", 1, late).status == "loaded"
    assert believed(engine, "s") == oracle(WORLDS | {1: late})


@pytest.mark.slow
def test_what_is_held_keeps_its_bytes_whatever_its_age(engine: Engine, tmp_path: Path) -> None:
    observe(engine, "s", 0, World({f"openai/m{number}": ("A", {}) for number in range(9)}))
    held = observe(engine, "s", 1, World({"openai/m0": ("A", {})}))
    assert held.status == "held"
    assert archived(engine, tmp_path, before=moment(400), drop=True).dropped == 1
    assert [told.observed_at for told in manifest.read(tmp_path, "s")] == [moment(0)]
    (tmp_path / "objects").rename(tmp_path / "gone")
    assert Pipeline(engine, Ticking()).release(kinds()["bifrost"]("s"), held.snapshot_id or 0).status == "loaded"


def test_a_price_is_explained_from_the_archive(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    archived(engine, tmp_path / "here", before=moment(400), drop=True)
    (tmp_path / "here").rename(tmp_path / "there")
    with engine.connect() as connection:
        versions = sightings.versions(connection, source="s", model_id="openai/m0")[-1:]
        [lost] = explain(connection, "s", versions)
        [found] = explain(connection, "s", versions, tmp_path / "there")
    assert "is archived and not in" in str(lost.problem)
    assert (found.problem, found.derivation is None) == (None, False)


@pytest.mark.slow
def test_an_archive_loads_into_an_empty_warehouse_and_gives_the_same_history(
    engine: Engine, empty_engine: Engine, tmp_path: Path
) -> None:
    fill(engine)
    fill(engine, "another")
    given_up = Page(number=1, url="half", status=200, body=b"[", fetched_at=moment(1) + timedelta(hours=1))
    half = Snapshot(source="s", kind="bifrost", observed_at=given_up.fetched_at, origin=Origin.RUN, pages=(given_up,))
    assert Pipeline(engine, Ticking()).take(kinds()["bifrost"]("s"), half, FetchError("s: gone")).status == "failed"
    archived(engine, tmp_path, before=moment(400), drop=True)
    bifrost = kinds()["bifrost"]
    for name in ("s", "another"):
        found = snapshots(name, "bifrost", [tmp_path])
        assert len(found) == len(WORLDS)
        assert all(result.is_well for result in Pipeline(empty_engine, Ticking()).backfill(bifrost(name), found))
        assert verify(engine, name).agrees
        assert verify(empty_engine, name).agrees
    assert history(empty_engine) == history(engine)


@pytest.mark.slow
def test_what_was_rejected_speaks_elsewhere_no_more_than_here(
    engine: Engine, empty_engine: Engine, tmp_path: Path
) -> None:
    full = World({f"openai/m{number}": ("A", {}) for number in range(9)})
    statuses = [observe(engine, "s", day, world).status for day, world in enumerate([full, World({}), full])]
    assert statuses == ["loaded", "held", "unchanged"]
    archived(engine, tmp_path, before=moment(400))
    found = snapshots("s", "bifrost", [tmp_path])
    assert [result.status for result in Pipeline(empty_engine, Ticking()).backfill(kinds()["bifrost"]("s"), found)] == [
        "loaded",
        "unchanged",
    ]
    assert history(empty_engine) == history(engine)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds=timelines(6), before=st.integers(0, 6))
def test_any_archived_history_verifies_and_loads_elsewhere(
    engine: Engine,
    empty_engine: Engine,
    tmp_path_factory: pytest.TempPathFactory,
    worlds: dict[int, World],
    before: int,
) -> None:
    folder, name = tmp_path_factory.mktemp("archive"), f"s{next(_NUMBERS)}"
    fill(engine, name, worlds)
    for moment_of_it in (moment(before), moment(400)):
        archived(engine, folder, before=moment_of_it, drop=True)
        assert verify(engine, name).agrees
    found = snapshots(name, "bifrost", [folder])
    list(Pipeline(empty_engine, Ticking()).backfill(kinds()["bifrost"](name), found))
    assert verify(empty_engine, name).agrees
    assert believed(empty_engine, name) == believed(engine, name) == oracle(worlds)


@pytest.mark.slow
def test_bodies_can_be_brought_back(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    before = dump(engine)
    archived(engine, tmp_path, before=moment(400), drop=True)
    assert restore(engine, None, lambda *_: None) == 4
    assert dump(engine) == before
    assert restore(engine, None, lambda *_: None) == 0


@pytest.mark.parametrize("statement", ["UPDATE raw.content SET body = NULL", "UPDATE raw.content SET body = 'x'"])
def test_the_database_refuses_to_lose_a_body_that_is_not_archived(engine: Engine, statement: str) -> None:
    fill(engine)
    with pytest.raises(IntegrityError, match="dropped only once it is archived"), engine.begin() as connection:
        connection.execute(text(statement))


_NUMBERS = iter(range(1_000_000))
