"""A held snapshot is confirmed by a later one that agrees, but not by one that comes too soon or shows nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from etl.domain.snapshot import Origin
from etl.load.doubt import Doubt
from etl.pipeline import Pipeline
from etl.sources.registry import kinds
from tests.load.believing import Ticking, believed, observe
from tests.load.test_doubt import EMPTY, FULL, OTHER_SEVEN, SEVEN, UNPRICED, release, statuses
from tests.load.worlds import World, history, moment, snapshot

MINUTE = 1 / 24 / 60


def minutes(*worlds: tuple[float, World]) -> dict[float, World]:
    """The full catalog on day 0, and others so many minutes after the first day."""
    return {0: FULL} | {1 + minute * MINUTE: world for minute, world in worlds}


@pytest.mark.parametrize(
    ("worlds", "became"),
    [
        (minutes((0, SEVEN), (10, SEVEN)), ["loaded", "unchanged"]),
        (minutes((0, SEVEN), (9.9, SEVEN)), ["held", "held"]),
        (minutes((0, SEVEN), (5, SEVEN), (10, SEVEN)), ["loaded", "unchanged", "unchanged"]),
        (minutes((0, SEVEN), (5, SEVEN), (9, SEVEN)), ["held", "held", "held"]),
        (minutes((0, SEVEN), (5, OTHER_SEVEN), (10, OTHER_SEVEN)), ["held", "held", "held"]),
        (minutes((0, SEVEN), (5, OTHER_SEVEN), (15, OTHER_SEVEN)), ["rejected", "loaded", "unchanged"]),
        (minutes((0, SEVEN), (5, SEVEN), (6, FULL)), ["rejected", "rejected", "unchanged"]),
        (minutes((0, SEVEN), (1, EMPTY), (60, SEVEN)), ["held", "held", "held"]),
        (minutes((0, SEVEN), (1, EMPTY), (60, SEVEN), (70, SEVEN)), ["rejected", "rejected", "loaded", "unchanged"]),
    ],
)
def test_a_held_snapshot_is_confirmed_by_one_that_agrees_and_is_late_enough(
    engine: Engine, worlds: dict[float, World], became: list[str]
) -> None:
    for day, world in worlds.items():
        observe(engine, "s", day, world)
    assert statuses(engine) == ["loaded", *became]
    counted = {
        day: world
        for (day, world), status in zip(worlds.items(), statuses(engine), strict=True)
        if status in ("loaded", "unchanged")
    }
    assert believed(engine, "s") == history_of(counted)


def history_of(counted: dict[float, World]) -> tuple[set[object], set[object]]:
    """What the oracle makes of snapshots at any moment of a day: it counts in days."""
    numbered = dict(enumerate(counted.values()))
    times = {moment(number): moment(day) for number, day in enumerate(counted)} | {None: None}
    models, prices = (
        {(key, value, times[start], times[end]) for key, value, start, end in each} for each in history(numbered)
    )
    return set(models), set(prices)


@pytest.mark.parametrize("empty", [EMPTY, UNPRICED])
def test_a_catalog_without_models_or_prices_is_never_confirmed_by_another_but_by_a_person(
    engine: Engine, empty: World
) -> None:
    observe(engine, "s", 0, FULL)
    first = observe(engine, "s", 1, empty)
    assert [observe(engine, "s", day, empty).status for day in (2, 3)] == ["held", "held"]
    assert believed(engine, "s") == history({0: FULL})
    assert release(engine, first.snapshot_id) == "loaded"
    assert believed(engine, "s") == history({0: FULL, 1: empty})
    assert observe(engine, "s", 4, empty).status == "unchanged"
    assert statuses(engine) == ["loaded", "loaded", "rejected", "rejected", "unchanged"]


def test_a_source_that_never_had_prices_is_confirmed_without_any(engine: Engine) -> None:
    worlds = dict(enumerate([UNPRICED, *2 * [World(dict(list(UNPRICED.models.items())[:5]))]]))
    for day, world in worlds.items():
        observe(engine, "s", day, world)
    assert statuses(engine) == ["loaded", "loaded", "unchanged"]


def test_what_a_held_empty_catalog_would_leave_confirms_nothing(engine: Engine) -> None:
    """After nothing at all, whatever comes only adds: that is no agreement."""
    observe(engine, "s", 0, FULL)
    observe(engine, "s", 1, EMPTY)
    assert observe(engine, "s", 2, SEVEN).status == "held"
    assert believed(engine, "s") == history({0: FULL})


def test_an_empty_catalog_confirms_nothing_even_if_little_is_left_to_remove(engine: Engine) -> None:
    one = World(dict(list(UNPRICED.models.items())[:1]))
    for day, world in enumerate([UNPRICED, one, EMPTY]):
        observe(engine, "s", day, world)
    assert statuses(engine) == ["loaded", "held", "held"]


def test_without_a_wait_the_next_snapshot_confirms_at_once(engine: Engine) -> None:
    pipeline = Pipeline(engine, Ticking(), doubt=Doubt(confirm_after=timedelta(0)))
    for day, world in minutes((0, SEVEN), (0.01, SEVEN)).items():
        live = replace(snapshot("s", day, world), origin=Origin.RUN)
        pipeline.take(kinds()["bifrost"]("s"), live)
    assert statuses(engine) == ["loaded", "loaded", "unchanged"]


def test_one_that_a_person_rejected_confirms_nothing_and_is_confirmed_by_nothing(engine: Engine) -> None:
    observe(engine, "s", 0, FULL)
    held = observe(engine, "s", 1, SEVEN)
    Pipeline(engine, Ticking()).reject(held.snapshot_id or 0)
    assert [observe(engine, "s", day, SEVEN).status for day in (2, 3)] == ["held", "unchanged"]
    assert statuses(engine) == ["loaded", "rejected", "loaded", "unchanged"]
