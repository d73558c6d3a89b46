"""What history makes of snapshots, against a dict and a loop."""

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from tests.load import worlds
from tests.load.believing import believed, load, load_all
from tests.load.worlds import World, history, timelines


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(timeline=timelines(6))
def test_snapshots_in_order_of_time_give_the_history_of_a_dict_and_a_loop(
    engine: Engine, timeline: dict[int, World]
) -> None:
    source = f"invented {uuid.uuid4()}"
    load_all(engine, source, {day: timeline[day] for day in worlds.days(timeline)})
    assert believed(engine, source) == history(timeline)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(timeline=timelines(6), data=st.data())
def test_after_every_arrival_in_any_order_history_is_that_of_the_set_so_far(
    engine: Engine, timeline: dict[int, World], data: st.DataObject
) -> None:
    arrivals = data.draw(st.permutations(sorted(timeline)))
    source = f"invented {uuid.uuid4()}"
    for count, day in enumerate(arrivals, 1):
        result = load(engine, source, day, timeline[day])
        assert result.status in ("loaded", "unchanged")
        assert believed(engine, source) == history({each: timeline[each] for each in arrivals[:count]})


CHEAP = {"openai/m1": ("A", {"prompt": "0.0000025"})}


def test_a_price_that_returns_unchanged_opens_again(engine: Engine) -> None:
    gone: dict[str, tuple[str, dict[str, str]]] = {"openai/m1": ("A", {})}
    for day, models in enumerate([CHEAP, gone, CHEAP]):
        load(engine, "s", day, World(models))
    _, prices = believed(engine, "s")
    assert {(run[2].day, run[3] and run[3].day) for run in prices} == {(1, 2), (3, None)}


def test_another_spelling_or_order_changes_nothing(engine: Engine) -> None:
    one = {"openai/m1": ("A", {"prompt": "0.0000025", "image": "0"}), "openai/m2": ("B", {"prompt": "1"})}
    other = {"openai/m2": ("B", {"prompt": "1.000"}), "openai/m1": ("A", {"image": "0.00", "prompt": "2.5e-06"})}
    load(engine, "s", 0, World(one))
    assert load(engine, "s", 1, World(other, order=1)).status == "unchanged"


def test_a_new_description_never_reversions_a_price(engine: Engine) -> None:
    load(engine, "s", 0, World(CHEAP))
    result = load(engine, "s", 1, World({"openai/m1": ("another name", {"prompt": "0.0000025"})}))
    assert (result.opened, result.closed) == (1, 1)
    assert len(believed(engine, "s")[1]) == 1


def test_sources_do_not_touch_each_other(engine: Engine) -> None:
    load(engine, "one", 0, World(CHEAP))
    load(engine, "other", 0, World(CHEAP))
    load(engine, "other", 1, World({"groq/m1": ("A", {})}))
    assert believed(engine, "one") == history({0: World(CHEAP)})


def test_a_failed_provider_and_a_missing_page_end_nothing(engine: Engine) -> None:
    load(engine, "s", 0, World(CHEAP))
    load(engine, "s", 1, World(CHEAP, failed=frozenset({"openai"})))
    load(engine, "s", 2, World({}, is_whole=False))
    load(engine, "s", 3, World({}, garbage=True))
    assert believed(engine, "s") == history({0: World(CHEAP)})
    with engine.connect() as connection:
        [row] = connection.execute(text("SELECT last_seen_at FROM mart.price_current")).all()
        assert row.last_seen_at == worlds.moment(0)


@pytest.mark.parametrize("days", [(0, 1)])
def test_the_same_snapshot_twice_changes_nothing(engine: Engine, days: tuple[int, ...]) -> None:
    for day in days:
        load(engine, "s", day, World(CHEAP))
    before = believed(engine, "s")
    results = [load(engine, "s", day, World(CHEAP)) for day in days]
    assert believed(engine, "s") == before
    assert len({result.snapshot_id for result in results}) == len(days)


def test_the_same_time_with_other_content_is_an_error_that_names_both(engine: Engine) -> None:
    first = load(engine, "s", 0, World(CHEAP))
    result = load(engine, "s", 0, World({}))
    assert result.status == "failed"
    assert f"snapshot {first.snapshot_id}" in str(result.error)
    assert "day-0.json" in str(result.error)


def test_an_attribute_that_comes_or_goes_is_a_change(engine: Engine) -> None:
    named, unnamed = World({"openai/m1": ("A", {})}), World({"openai/m1": (None, {})})
    for day, world in enumerate([unnamed, named, unnamed]):
        load(engine, "s", day, world)
    assert believed(engine, "s") == history({0: unnamed, 1: named, 2: unnamed})
    assert len(believed(engine, "s")[0]) == 3
