"""A loaded snapshot is taken back, and let in again: history is that of the others, on both clocks."""

import uuid
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from etl.domain.snapshot import Origin
from etl.errors import FetchError, UsageError
from etl.load.doubt import Doubt
from etl.pipeline import Pipeline
from etl.result import Result
from etl.sources.registry import kinds
from tests.dump import HISTORY
from tests.load.believing import Ticking, believed, believed_at, load, load_all, observe, state_at
from tests.load.registries import Registry, lives
from tests.load.worlds import WORLDS, World, history, moment, snapshot, timelines

FULL = World({f"openai/m{number}": ("A", {"prompt": "1"}) for number in range(10)})
SEVEN = World(dict(list(FULL.models.items())[:7]))


def take_back(engine: Engine, number: int | None, now: Ticking | None = None) -> Result:
    assert number is not None
    return Pipeline(engine, now or Ticking()).reject(number)


def let_in(
    engine: Engine, source: str, number: int | None, now: Ticking | None = None, kind: str = "bifrost"
) -> Result:
    assert number is not None
    return Pipeline(engine, now or Ticking()).release(kinds()[kind](source), number)


def verify(engine: Engine, source: str = "s", *, is_applied: bool = False, kind: str = "bifrost") -> bool:
    pipeline = Pipeline(engine, Ticking())
    return pipeline.verify(kinds()[kind](source), is_applied=is_applied, progress=lambda *_: None).agrees


def present(engine: Engine, source: str) -> dict[str, list[str]]:
    """All that is current of a source: versions, changes, moves of the index, and what could not be read."""
    ours = "'{version_id,asserted,retracted,snapshot_id,source,known_from,known_to,end_known_from}'::text[]"
    current = dict.fromkeys(HISTORY, " AND known_to IS NULL")
    tables = current | dict.fromkeys(("core.basket_move", "core.quarantine", "core.unmapped_field"), "")
    rows = f"SELECT (to_jsonb(t) - {ours})::text FROM %s t WHERE source = :s%s"
    with engine.connect() as connection:
        return {
            table: sorted(connection.scalars(text(rows % (table, which)), {"s": source}).all())
            for table, which in tables.items()
        }


def log(engine: Engine, number: int | None) -> tuple[object, ...]:
    asked = "SELECT status, reason, opened, closed FROM mart.snapshot WHERE snapshot_id = :n"
    with engine.connect() as connection:
        return tuple(connection.execute(text(asked), {"n": number}).one())


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(timeline=timelines(5), data=st.data())
def test_any_snapshots_taken_back_and_let_in_leave_the_history_of_those_that_count(
    engine: Engine, timeline: dict[int, World], data: st.DataObject
) -> None:
    source, clock, known = f"taken {uuid.uuid4()}", Ticking(), {}
    arrivals = data.draw(st.permutations(sorted(timeline)))
    numbers = {day: load(engine, source, day, timeline[day], clock).snapshot_id for day in arrivals}
    known[clock()] = dict(timeline)
    for day in data.draw(st.lists(st.sampled_from(arrivals), min_size=1, max_size=4)):
        rest = dict(known[max(known)])
        if rest.pop(day, None) is not None:
            take_back(engine, numbers[day], clock)
        else:
            let_in(engine, source, numbers[day], clock)
            rest[day] = timeline[day]
        assert believed(engine, source) == history(rest)
        known[clock()] = rest
    for at, counted in known.items():
        for day in timeline:
            then = moment(day) + timedelta(hours=12)
            assert believed_at(engine, source, then, at) == state_at(history(counted), then)
    alone = f"alone {uuid.uuid4()}"
    load_all(engine, alone, {day: rest[day] for day in sorted(rest)}, clock)
    assert present(engine, source) == present(engine, alone)
    assert verify(engine, source)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=lives(), data=st.data())
def test_what_is_read_in_part_is_taken_back_like_what_is_read_whole(
    engine: Engine, days: list[Registry], data: st.DataObject
) -> None:
    taken, alone = (f"{way} {uuid.uuid4()}" for way in ("taken", "alone"))
    pipeline, kind = Pipeline(engine, Ticking(), doubt=Doubt(share=1)), "helicone_registry"

    def arrive(name: str, day: int) -> int | None:
        return pipeline.take(kinds()[kind](name), days[day].snapshot(name, day, Origin.BACKFILL)).snapshot_id

    gone = data.draw(st.sets(st.integers(0, len(days) - 1), min_size=1, max_size=2))
    back = data.draw(st.sampled_from([(), tuple(gone)]))
    late = data.draw(st.integers(max(gone), len(days)))
    numbers = {day: arrive(taken, day) for day in range(late)}
    for day in gone & numbers.keys():
        take_back(engine, numbers[day])
    for day in range(late, len(days)):
        numbers[day] = arrive(taken, day)
    for day in back:
        let_in(engine, taken, numbers[day], kind=kind)
    counted = [day for day in range(len(days)) if day in back or day not in gone or day >= late]
    for day in counted:
        arrive(alone, day)
    assert present(engine, taken) == present(engine, alone)
    assert verify(engine, taken, kind=kind)


@pytest.mark.parametrize("day", WORLDS)
def test_each_snapshot_can_be_taken_back_whatever_its_place(engine: Engine, day: int) -> None:
    numbers = {each: load(engine, "s", each, world).snapshot_id for each, world in WORLDS.items()}
    assert take_back(engine, numbers[day]).status == "rejected"
    rest = {each: world for each, world in WORLDS.items() if each != day}
    assert believed(engine, "s") == history(rest)
    assert log(engine, numbers[day]) == ("rejected", "rejected by a person", None, None)
    assert verify(engine)
    load_all(engine, "t", rest)
    assert present(engine, "s") == present(engine, "t")


def test_the_only_snapshot_of_a_source_taken_back_leaves_nothing_but_its_bytes(engine: Engine) -> None:
    only = load(engine, "s", 0, FULL)
    done = take_back(engine, only.snapshot_id)
    assert (done.opened, done.closed) == (0, 30)
    assert believed(engine, "s") == (set(), set())
    assert not any(present(engine, "s").values())
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM raw.page")) == 1
    assert let_in(engine, "s", only.snapshot_id).status == "loaded"
    assert believed(engine, "s") == history({0: FULL})


def test_a_change_after_a_snapshot_that_is_taken_back_lies_between_those_that_are_left(engine: Engine) -> None:
    dearer = World({model: (name, {"prompt": "2"}) for model, (name, _) in FULL.models.items()})
    numbers = [load(engine, "s", day, world).snapshot_id for day, world in enumerate([FULL, FULL, dearer])]
    take_back(engine, numbers[1])
    with engine.connect() as connection:
        assert set(connection.scalars(text("SELECT not_before FROM mart.price_change"))) == {moment(0)}
    assert verify(engine)


def test_the_next_snapshot_is_not_read_against_one_that_was_taken_back(engine: Engine) -> None:
    pipeline, source = Pipeline(engine, Ticking()), kinds()["helicone_registry"]("s")
    one, two = (("groq", "1e-6", "2e-6", True),), (("groq", "3e-6", "2e-6", True),)
    days = [tuple((f"m{n}", "A", price) for n in range(3)) for price in (one, two, two)]
    taken = [Registry(models=models, names=("groq",), fault="none", is_reversed=False) for models in days]
    numbers = [pipeline.take(source, taken[day].snapshot("s", day, Origin.BACKFILL)).snapshot_id for day in (0, 1)]
    take_back(engine, numbers[1])
    assert pipeline.take(source, taken[2].snapshot("s", 2, Origin.BACKFILL)).status == "loaded"
    assert verify(engine, kind="helicone_registry")


def test_what_was_known_before_a_snapshot_was_taken_back_stays_answerable(engine: Engine) -> None:
    clock = Ticking()
    load(engine, "s", 0, FULL, clock)
    wrong = load(engine, "s", 1, SEVEN, clock)
    then = clock()
    take_back(engine, wrong.snapshot_id, clock)
    assert len(believed_at(engine, "s", moment(2), then)[0]) == 7
    assert len(believed_at(engine, "s", moment(2), None)[0]) == 10


def test_neither_verify_nor_the_same_bytes_bring_back_what_was_taken_back(engine: Engine) -> None:
    load(engine, "s", 0, FULL)
    wrong = load(engine, "s", 1, SEVEN)
    take_back(engine, wrong.snapshot_id)
    assert verify(engine, is_applied=True)
    again = load(engine, "s", 1, SEVEN)
    assert (again.status, again.snapshot_id, again.is_well) == ("rejected", wrong.snapshot_id, False)
    assert believed(engine, "s") == history({0: FULL})


def test_other_bytes_may_take_the_time_of_what_was_taken_back_and_then_keep_it_out(engine: Engine) -> None:
    load(engine, "s", 0, FULL)
    wrong = load(engine, "s", 1, SEVEN)
    take_back(engine, wrong.snapshot_id)
    right = load(engine, "s", 1, FULL)
    assert right.status == "unchanged"
    with pytest.raises(UsageError, match=f"snapshot {right.snapshot_id} has the same time and is unchanged"):
        let_in(engine, "s", wrong.snapshot_id)


def test_what_it_confirmed_stays_when_the_snapshot_that_confirmed_it_is_taken_back(engine: Engine) -> None:
    observe(engine, "s", 0, FULL)
    observe(engine, "s", 1, SEVEN)
    confirming = observe(engine, "s", 2, World(dict(SEVEN.models) | {"openai/m0": ("A", {"prompt": "3"})}))
    take_back(engine, confirming.snapshot_id)
    assert believed(engine, "s") == history({0: FULL, 1: SEVEN})
    assert verify(engine)


def test_every_state_can_be_rejected_and_released(engine: Engine) -> None:
    loaded = observe(engine, "s", 0, FULL)
    unchanged = observe(engine, "s", 1, FULL)
    held = observe(engine, "s", 2, SEVEN)
    landed = observe(engine, "s", 3, FULL)
    failed = load(engine, "s", 4, World({}, garbage=True))
    with engine.begin() as connection:
        for number, status in (
            (held.snapshot_id, "held"),
            (landed.snapshot_id, "landed"),
            (failed.snapshot_id, "failed"),
        ):
            take_back(engine, number) if status == "failed" else None
            connection.execute(
                text("UPDATE core.snapshot SET status = :status WHERE snapshot_id = :n"),
                {"status": status, "n": number},
            )
    for each in (loaded, unchanged, held, landed, failed):
        assert take_back(engine, each.snapshot_id).status == "rejected"
        assert take_back(engine, each.snapshot_id).reason == "already"
    assert believed(engine, "s") == (set(), set())
    assert let_in(engine, "s", held.snapshot_id).status == "loaded"
    assert let_in(engine, "s", held.snapshot_id).reason == "already"
    assert let_in(engine, "s", loaded.snapshot_id).status == "loaded"
    assert believed(engine, "s") == history({0: FULL, 2: SEVEN})
    assert verify(engine)


def test_the_evidence_of_a_failed_walk_cannot_be_let_in(engine: Engine) -> None:
    half = snapshot("s", 0, FULL)
    lost = Pipeline(engine, Ticking()).take(kinds()["bifrost"]("s"), half, FetchError("s: gone"))
    with pytest.raises(UsageError, match="evidence of a failed run and no catalog: s: gone"):
        let_in(engine, "s", lost.snapshot_id)
    assert take_back(engine, lost.snapshot_id).status == "rejected"
