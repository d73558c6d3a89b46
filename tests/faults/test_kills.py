"""kill -9 at any moment of a backfill or a run: nothing half is left, and going on gives the undisturbed history."""

import signal
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg
import pytest
from sqlalchemy import URL, Engine, text

from etl.database.engine import open_engine
from etl.pipeline import Pipeline
from tests.conftest import _database
from tests.extract.gateway import Gateway, drip, head, ok
from tests.extract.sources import QUICK
from tests.faults.driver import watched_engine
from tests.faults.processes import Arrivals, backfill_until, backfilled, ended, now, pulled, run_until, start
from tests.faults.wards import assert_nothing_half, days_of, settled, whole
from tests.load.worlds import World, body, moment

CHEAP = {f"openai/m{number}": ("A", {"prompt": "0.0000025", "image": "0"}) for number in range(4)}
DEARER = CHEAP | {"openai/m0": ("B", {"prompt": "0.000003"})}
WORLDS = {
    0: World(CHEAP),
    1: World(DEARER | {"groq/m9": ("A", {"prompt": "1", "completion": "12x"})}),
    2: World({name: DEARER[name] for name in ("openai/m0", "openai/m1")}, garbage=True),
    3: World({name: CHEAP[name] for name in ("openai/m0", "openai/m1", "openai/m2")}),
}
"""A change, an addition, a quarantined price, a record without key, removals and a return."""

ARRIVALS: Arrivals = [(day, WORLDS[day]) for day in (0, 3, 1, 2)]
"""In order, then late, and late again: every way of loading is taken."""

SOURCE = "mortal"

POINTS = 4
EVERY_POINT = 64


class Undisturbed(NamedTuple):
    """What a backfill and a run do when nothing happens to them, in order, and the history that the backfill makes."""

    backfill: list[str]
    run: list[str]
    history: dict[str, list[str]]


@pytest.fixture(scope="module")
def undisturbed(server_url: URL, template: str) -> Iterator[Undisturbed]:
    with _database(server_url, template=template) as url, Gateway(ok(body(WORLDS[1]))) as gateway:
        backfill: list[str] = []
        watched = watched_engine(url, lambda what, _: backfill.append(what))
        assert all(result.is_well for result in backfilled(Pipeline(watched, now), SOURCE, ARRIVALS))
        engine = open_engine(url)
        assert_nothing_half(engine, SOURCE, WORLDS)
        history = whole(engine, SOURCE)
        run: list[str] = []
        watched = watched_engine(url, lambda what, _: run.append(what))
        [result] = pulled(Pipeline(watched, lambda: moment(9), limits=QUICK), "another", gateway.url)
        assert result.status == "loaded"
        yield Undisturbed(backfill, run, history)


def shown(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def kill_backfill(url: URL, at: int) -> None:
    """A backfill in a process of its own that is killed at a moment."""
    assert ended(start(backfill_until, shown(url), SOURCE, ARRIVALS, at)) == -signal.SIGKILL


def goes_on(engine: Engine, undisturbed: Undisturbed) -> None:
    """What a kill left is whole; the same backfill again gives the history that it would have given."""
    assert_nothing_half(engine, SOURCE, WORLDS)
    results = backfilled(Pipeline(engine, now), SOURCE, ARRIVALS)
    assert all(result.is_well for result in results), results
    assert days_of(engine, SOURCE) == set(WORLDS)
    assert_nothing_half(engine, SOURCE, WORLDS)
    assert whole(engine, SOURCE) == undisturbed.history


def test_an_undisturbed_backfill_passes_every_kind_of_moment(undisturbed: Undisturbed) -> None:
    verbs = {what.split()[0] for what in undisturbed.backfill}
    assert {"INSERT", "UPDATE", "SELECT", "copied", "commit", "committed"} <= verbs
    assert undisturbed.backfill.count("commit") >= 2 * len(WORLDS)
    assert len(undisturbed.backfill) > EVERY_POINT


@pytest.mark.parametrize("point", range(POINTS))
def test_a_backfill_killed_anywhere_leaves_nothing_half_and_goes_on(
    warehouse_url: URL, engine: Engine, undisturbed: Undisturbed, point: int
) -> None:
    kill_backfill(warehouse_url, (2 * point + 1) * len(undisturbed.backfill) // (2 * POINTS))
    goes_on(engine, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("point", range(EVERY_POINT))
def test_a_backfill_killed_at_many_more_points_goes_on(
    warehouse_url: URL, engine: Engine, undisturbed: Undisturbed, point: int
) -> None:
    kill_backfill(warehouse_url, point * len(undisturbed.backfill) // EVERY_POINT)
    goes_on(engine, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("nth", [0, -1])
@pytest.mark.parametrize("what", ["commit", "committed", "copied"])
def test_a_backfill_killed_around_a_commit_or_in_a_copy_goes_on(
    warehouse_url: URL, engine: Engine, undisturbed: Undisturbed, what: str, nth: int
) -> None:
    kill_backfill(warehouse_url, [at for at, each in enumerate(undisturbed.backfill) if each == what][nth])
    goes_on(engine, undisturbed)


@pytest.mark.slow
def test_killed_twice_in_a_row_it_still_goes_on(warehouse_url: URL, engine: Engine, undisturbed: Undisturbed) -> None:
    kill_backfill(warehouse_url, len(undisturbed.backfill) // 2)
    kill_backfill(warehouse_url, len(undisturbed.backfill) // 8)
    goes_on(engine, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.05, 0.2, 0.35, 0.6, 0.98])
def test_a_run_killed_anywhere_is_completed_by_the_next_one(
    warehouse_url: URL, engine: Engine, undisturbed: Undisturbed, share: float
) -> None:
    with Gateway(ok(body(WORLDS[1]))) as gateway:
        at = int(len(undisturbed.run) * share)
        assert ended(start(run_until, shown(warehouse_url), SOURCE, gateway.url, 1, at)) == -signal.SIGKILL
        assert_nothing_half(engine, SOURCE, WORLDS)
        was_landed = days_of(engine, SOURCE, "true")
        [result] = pulled(Pipeline(engine, lambda: moment(2), limits=QUICK), SOURCE, gateway.url)
    assert result.is_well
    assert days_of(engine, SOURCE) == {2, *was_landed}
    assert_nothing_half(engine, SOURCE, dict.fromkeys((1, 2), WORLDS[1]))


def test_a_run_killed_while_it_walks_leaves_nothing(warehouse_url: URL, engine: Engine) -> None:
    with Gateway(drip(head(200, {}) + b'{"data": ['), ok(body(WORLDS[0]))) as gateway:
        process = start(run_until, shown(warehouse_url), SOURCE, gateway.url, 0, -1)
        while not gateway.asked:
            time.sleep(0.01)
        process.kill()
        assert ended(process) == -signal.SIGKILL
        settled(engine)
        assert days_of(engine, SOURCE, "true") == set()
        [result] = pulled(Pipeline(engine, lambda: moment(0), limits=QUICK), SOURCE, gateway.url)
    assert result.status == "loaded"
    assert_nothing_half(engine, SOURCE, WORLDS)


class Cutter:
    """Ends, from another session, the connection that is about to do its numbered thing."""

    def __init__(self, engine: Engine, at: int) -> None:
        self._engine = engine
        self._left = at

    def __call__(self, _: str, connection: psycopg.Connection[Any]) -> None:
        self._left -= 1
        if self._left == 0:
            with self._engine.connect() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": connection.info.backend_pid})


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.03, 0.25, 0.4, 0.55, 0.7])
def test_a_connection_lost_in_the_middle_fails_in_one_line_and_the_next_run_completes_it(
    warehouse_url: URL, engine: Engine, undisturbed: Undisturbed, share: float
) -> None:
    cutter = Cutter(engine, int(len(undisturbed.run) * share))
    cut = Pipeline(watched_engine(warehouse_url, cutter), lambda: moment(1), limits=QUICK)
    with Gateway(ok(body(WORLDS[1]))) as gateway:
        [result] = pulled(cut, SOURCE, gateway.url)
        assert result.status == "failed"
        assert str(result.error).startswith(f"{SOURCE}: ")
        assert "\n" not in str(result.error)
        assert_nothing_half(engine, SOURCE, WORLDS)
        [again] = pulled(Pipeline(engine, lambda: moment(1), limits=QUICK), SOURCE, gateway.url)
    assert again.status == "loaded"
    assert_nothing_half(engine, SOURCE, WORLDS)


@pytest.mark.slow
def test_a_connection_lost_while_models_are_linked_leaves_a_load_that_stands_and_the_next_run_links(
    warehouse_url: URL, engine: Engine, undisturbed: Undisturbed
) -> None:
    cutter = Cutter(engine, len(undisturbed.run) - 3)
    cut = Pipeline(watched_engine(warehouse_url, cutter), lambda: moment(1), limits=QUICK)
    with Gateway(ok(body(WORLDS[1]))) as gateway:
        [result] = pulled(cut, SOURCE, gateway.url)
        assert result.status == "loaded"
        assert _links(engine) == 0
        [again] = pulled(Pipeline(engine, lambda: moment(2), limits=QUICK), SOURCE, gateway.url)
    assert again.status == "unchanged"
    assert _links(engine) == len(WORLDS[1].models)


def _links(engine: Engine) -> int:
    with engine.connect() as connection:
        return len(connection.scalars(text("SELECT model_id FROM mart.model_link")).all())
