"""Any arrival, in any order, after any other: history is that of the set, and every former belief stays answerable."""

import uuid
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, text

from tests.load.believing import Ticking, believed, believed_at, load, state_at
from tests.load.worlds import Run, World, body, history, moment, worlds

SOURCES = ("one", "other")
DAYS = 7


class Arrivals(RuleBasedStateMachine):
    """Snapshots of two sources arrive: new, late, again, with other content, partial, with unreadable records."""

    engine: Engine

    @initialize()
    def begin(self) -> None:
        self.clock = Ticking()
        self.names = {name: f"{name} {uuid.uuid4()}" for name in SOURCES}
        self.there: dict[str, dict[int, World]] = {name: {} for name in SOURCES}
        self.beliefs: list[tuple[str, datetime, tuple[set[Run], set[Run]]]] = []

    @rule(source=st.sampled_from(SOURCES), day=st.integers(0, DAYS), world=worlds)
    def a_snapshot_arrives(self, source: str, day: int, world: World) -> None:
        known = self.there[source].get(day)
        result = load(self.engine, self.names[source], day, world, self.clock)
        if known is None:
            self.there[source][day] = world
            assert result.status in ("loaded", "unchanged")
        elif body(known) == body(world):
            assert result.error is None
        else:
            assert result.status == "failed"
        self._remember(source)

    @rule(source=st.sampled_from(SOURCES), data=st.data())
    def one_that_is_there_arrives_again(self, source: str, data: st.DataObject) -> None:
        if self.there[source]:
            day = data.draw(st.sampled_from(sorted(self.there[source])))
            assert load(self.engine, self.names[source], day, self.there[source][day], self.clock).error is None

    @invariant()
    def what_is_believed_now_is_what_the_set_of_snapshots_says(self) -> None:
        for name in SOURCES:
            assert believed(self.engine, self.names[name]) == history(self.there[name])

    def teardown(self) -> None:
        for source, known_at, runs in self.beliefs:
            for day in range(DAYS + 1):
                valid_at = moment(day) + timedelta(hours=12)
                assert believed_at(self.engine, self.names[source], valid_at, known_at) == state_at(runs, valid_at)

    def _remember(self, source: str) -> None:
        self.beliefs.append((source, self.clock(), history(self.there[source])))


@pytest.mark.slow
def test_after_every_arrival_both_clocks_tell_what_a_dict_and_a_loop_tell(engine: Engine) -> None:
    machine = type("ArrivalsHere", (Arrivals,), {"engine": engine})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=9, stateful_step_count=9, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_ending_a_version_in_order_costs_no_second_row(engine: Engine) -> None:
    cheap = {"openai/m1": ("A", {"prompt": "1"})}
    for day, models in enumerate([cheap, {"openai/m1": ("A", {"prompt": "2"})}]):
        load(engine, "s", day, World(models))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM core.price")) == 2


def test_a_remembered_belief_survives_later_backfills(engine: Engine) -> None:
    clock = Ticking()
    for day, price in ((0, "1"), (4, "2")):
        load(engine, "s", day, World({"openai/m1": ("A", {"prompt": price})}), clock)
    remembered = clock.now
    before = believed_at(engine, "s", moment(3), remembered)
    load(engine, "s", 2, World({"openai/m1": ("A", {"prompt": "7"})}), clock)
    load(engine, "s", 1, World({}), clock)
    assert believed_at(engine, "s", moment(3), remembered) == before
    assert believed_at(engine, "s", moment(3), None)[1] == {("openai/m1", "openai", "input_token"): ("priced", "7")}


def test_a_clock_that_stands_still_or_goes_back_loses_no_belief(engine: Engine) -> None:
    stuck = moment(100)
    for day, price in ((0, "1"), (4, "2"), (2, "7"), (1, "8")):
        result = load(engine, "s", day, World({"openai/m1": ("A", {"prompt": price})}), lambda: stuck)
        assert result.status == "loaded"
    with engine.connect() as connection:
        beliefs = connection.scalars(text("SELECT DISTINCT known_from FROM core.price ORDER BY 1")).all()
    assert len(beliefs) == 4
