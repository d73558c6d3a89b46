"""A live snapshot that would end too much is held until another one, or a person, has spoken."""

import pytest
from sqlalchemy import Engine, text

from etl.errors import UsageError
from etl.pipeline import Pipeline
from etl.sources.registry import kinds
from tests.load.believing import believed, clock, load, observe
from tests.load.worlds import World, history

FULL = World({f"openai/m{number}": ("A", {"prompt": "1"}) for number in range(10)})
SEVEN = World(dict(list(FULL.models.items())[:7]))
EIGHT = World(dict(list(FULL.models.items())[:8]))
OTHER_SEVEN = World(dict(list(FULL.models.items())[3:]))
UNPRICED = World({model: (name, {}) for model, (name, _) in FULL.models.items()})
EMPTY = World({})


def statuses(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT status FROM mart.snapshot ORDER BY observed_at")))


def reasons(engine: Engine) -> list[str | None]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT reason FROM mart.snapshot ORDER BY observed_at")))


def release(engine: Engine, snapshot_id: int | None) -> str:
    assert snapshot_id is not None
    return Pipeline(engine, clock).release(kinds()["bifrost"]("s"), snapshot_id).status


@pytest.mark.parametrize(
    ("world", "reason"),
    [
        (SEVEN, "would remove 3 of 10 models"),
        (EMPTY, "would remove 10 of 10 models"),
        (UNPRICED, "would remove all 10 prices"),
    ],
)
def test_too_large_a_removal_is_held_with_its_reason_and_ends_nothing(
    engine: Engine, world: World, reason: str
) -> None:
    observe(engine, "s", 0, FULL)
    result = observe(engine, "s", 1, world)
    assert (result.status, result.reason, result.is_well) == ("held", reason, False)
    assert believed(engine, "s") == history({0: FULL})


def test_a_fifth_of_the_models_may_go_at_once(engine: Engine) -> None:
    observe(engine, "s", 0, FULL)
    assert observe(engine, "s", 1, EIGHT).status == "loaded"


def test_one_model_of_a_small_source_may_go(engine: Engine) -> None:
    small = World(dict(list(FULL.models.items())[:3]))
    observe(engine, "s", 0, small)
    assert observe(engine, "s", 1, World(dict(list(small.models.items())[:2]))).status == "loaded"


def test_a_backfilled_snapshot_is_taken_as_it_is(engine: Engine) -> None:
    load(engine, "s", 0, FULL)
    assert load(engine, "s", 1, EMPTY).status == "loaded"


def test_the_next_complete_snapshot_that_agrees_loads_both_at_their_own_times(engine: Engine) -> None:
    worlds = {0: FULL, 1: SEVEN, 2: SEVEN}
    for day, world in worlds.items():
        observe(engine, "s", day, world)
    assert statuses(engine) == ["loaded", "loaded", "unchanged"]
    assert believed(engine, "s") == history(worlds)


def test_the_next_snapshot_that_would_not_be_held_rejects_the_held_one(engine: Engine) -> None:
    for day, world in enumerate([FULL, SEVEN, FULL]):
        observe(engine, "s", day, world)
    assert statuses(engine) == ["loaded", "rejected", "unchanged"]
    assert "did not agree" in str(reasons(engine)[1])
    assert believed(engine, "s") == history({0: FULL, 2: FULL})


def test_an_incomplete_snapshot_neither_confirms_nor_rejects(engine: Engine) -> None:
    partial = World(SEVEN.models, is_whole=False)
    for day, world in enumerate([FULL, SEVEN, partial]):
        observe(engine, "s", day, world)
    assert statuses(engine) == ["loaded", "held", "unchanged"]
    observe(engine, "s", 3, SEVEN)
    assert statuses(engine) == ["loaded", "loaded", "unchanged", "unchanged"]
    assert believed(engine, "s") == history({0: FULL, 1: SEVEN, 2: partial, 3: SEVEN})


def test_two_that_contradict_each_other_are_both_held_until_a_third_agrees_with_the_later(engine: Engine) -> None:
    for day, world in enumerate([FULL, SEVEN, OTHER_SEVEN]):
        observe(engine, "s", day, world)
    assert statuses(engine) == ["loaded", "held", "held"]
    observe(engine, "s", 3, OTHER_SEVEN)
    assert statuses(engine) == ["loaded", "rejected", "loaded", "unchanged"]
    assert believed(engine, "s") == history({0: FULL, 2: OTHER_SEVEN, 3: OTHER_SEVEN})


def test_a_person_can_release_a_held_snapshot_also_after_later_ones(engine: Engine) -> None:
    observe(engine, "s", 0, FULL)
    held = observe(engine, "s", 1, SEVEN)
    partial = World({"openai/m0": ("B", {"prompt": "2"})}, is_whole=False)
    observe(engine, "s", 2, partial)
    assert release(engine, held.snapshot_id) == "loaded"
    assert believed(engine, "s") == history({0: FULL, 1: SEVEN, 2: partial})


def test_a_rejected_snapshot_never_counts(engine: Engine) -> None:
    observe(engine, "s", 0, FULL)
    held = observe(engine, "s", 1, SEVEN)
    Pipeline(engine, clock).reject(held.snapshot_id or 0)
    assert observe(engine, "s", 2, SEVEN).status == "held"
    assert believed(engine, "s") == history({0: FULL})


def test_only_a_snapshot_that_is_there_can_be_released_or_rejected(engine: Engine) -> None:
    observe(engine, "s", 0, FULL)
    with pytest.raises(UsageError, match="etl snapshots"):
        release(engine, 4711)
    with pytest.raises(UsageError, match="etl snapshots"):
        Pipeline(engine, clock).reject(4711)


def test_a_failed_provider_removes_nothing_and_raises_no_doubt(engine: Engine) -> None:
    observe(engine, "s", 0, FULL)
    assert observe(engine, "s", 1, World(FULL.models, failed=frozenset({"openai"}))).status == "unchanged"
