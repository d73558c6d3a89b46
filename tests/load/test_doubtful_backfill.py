"""A saved snapshot that a live run would hold is loaded when a person says so, and else held."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from etl.domain.snapshot import Origin
from etl.load import landing
from etl.pipeline import Pipeline
from etl.result import Result
from etl.sources.registry import kinds
from tests.load.believing import Ticking, believed, load, load_all, observe
from tests.load.test_doubt import FULL, SEVEN, statuses
from tests.load.worlds import World, history, moment, snapshot
from tests.mart.test_source_health import shown

THREE = World(dict(list(FULL.models.items())[:3]))
LIFE = {0: FULL, 1: SEVEN, 2: SEVEN, 3: THREE, 4: THREE}


class Person:
    """Answers what was prepared, and remembers what was asked."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[str | None] = []

    def __call__(self, doubtful: Result) -> bool:
        self.asked.append(doubtful.reason)
        return bool(self.answers) and self.answers.pop(0) == "yes"


def backfill(engine: Engine, worlds: dict[int, World], person: Person) -> list[str]:
    snapshots = [snapshot("s", day, world) for day, world in worlds.items()]
    results = Pipeline(engine, Ticking()).backfill(kinds()["bifrost"]("s"), snapshots, confirm=person)
    return [result.status for result in results]


def test_whoever_says_yes_is_asked_once_for_each_large_step(engine: Engine) -> None:
    person = Person("yes", "yes")
    assert backfill(engine, LIFE, person) == ["loaded", "loaded", "unchanged", "loaded", "unchanged"]
    assert person.asked == ["would remove 3 of 10 models", "would remove 4 of 7 models"]
    assert believed(engine, "s") == history(LIFE)


def test_without_a_yes_it_is_held_and_the_others_load(engine: Engine) -> None:
    worlds = {0: FULL, 1: SEVEN, 2: FULL}
    assert backfill(engine, worlds, Person("no")) == ["loaded", "held", "unchanged"]
    assert believed(engine, "s") == history({0: FULL, 2: FULL})


def test_the_same_again_asks_again_and_a_yes_then_loads_it(engine: Engine) -> None:
    worlds = {0: FULL, 1: SEVEN, 2: FULL}
    backfill(engine, worlds, Person("no"))
    assert backfill(engine, worlds, Person("yes")) == ["loaded", "loaded", "unchanged"]
    assert believed(engine, "s") == history(worlds)


def test_to_take_all_loads_what_was_held_before(engine: Engine) -> None:
    backfill(engine, LIFE, Person())
    assert statuses(engine) == ["loaded", "held", "held", "held", "held"]
    load_all(engine, "s", LIFE)
    assert believed(engine, "s") == history(LIFE)


def test_a_late_one_is_judged_by_the_state_before_it(engine: Engine) -> None:
    load_all(engine, "s", {0: FULL, 4: THREE})
    person = Person("yes")
    assert backfill(engine, {1: FULL, 2: THREE, 3: THREE}, person) == ["unchanged", "loaded", "unchanged"]
    assert person.asked == ["would remove 7 of 10 models"]
    assert believed(engine, "s") == history({0: FULL, 1: FULL, 2: THREE, 3: THREE, 4: THREE})


def test_the_first_of_a_source_and_what_comes_before_it_is_never_in_doubt(engine: Engine) -> None:
    person = Person()
    assert backfill(engine, {5: SEVEN}, person) + backfill(engine, {1: THREE, 2: FULL}, person) == [
        "loaded",
        "loaded",
        "loaded",
    ]


@pytest.mark.parametrize(("ahead", "status"), [(timedelta(seconds=50), "loaded"), (timedelta(minutes=2), "held")])
def test_one_that_is_dated_in_the_future_is_in_doubt(engine: Engine, ahead: timedelta, status: str) -> None:
    saved, person = shown(datetime.now(UTC) + ahead, FULL, Origin.BACKFILL), Person()
    pipeline = Pipeline(engine, lambda: datetime.now(UTC))
    [result] = pipeline.backfill(kinds()["bifrost"]("s"), [saved], confirm=person)
    assert result.status == status
    assert len(person.asked) == (status == "held")


def test_a_live_run_neither_confirms_nor_rejects_nor_loads_unasked_what_a_backfill_left(engine: Engine) -> None:
    load(engine, "s", 0, FULL)
    backfill(engine, {1: SEVEN}, Person())
    observe(engine, "s", 2, FULL)
    assert statuses(engine) == ["loaded", "held", "unchanged"]
    backfill_that_was_killed(engine, 3, THREE)
    observe(engine, "s", 4, FULL)
    assert statuses(engine) == ["loaded", "held", "unchanged", "held", "unchanged"]


def test_what_a_person_confirmed_is_loaded_by_whichever_process_comes_next(engine: Engine) -> None:
    load(engine, "s", 0, FULL)
    backfill_that_was_killed(engine, 1, THREE, is_confirmed=True)
    observe(engine, "s", 2, THREE)
    assert statuses(engine) == ["loaded", "loaded", "unchanged"]


def backfill_that_was_killed(engine: Engine, day: int, world: World, *, is_confirmed: bool = False) -> None:
    """Land, and end there."""
    with engine.begin() as connection:
        landed = landing.land(connection, snapshot("s", day, world), landed_at=moment(day))
        landing.confirm(connection, [landed.snapshot_id] if is_confirmed else ())


def test_a_snapshot_of_another_gateway_is_held_before_it_ends_anything(engine: Engine) -> None:
    load(engine, "s", 0, FULL)
    other = World({f"groq/x{number}": ("B", {"prompt": "2"}) for number in range(10)})
    assert backfill(engine, {1: other}, Person()) == ["held"]
    assert believed(engine, "s") == history({0: FULL})
