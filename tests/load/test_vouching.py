"""What is remembered of a snapshot is forgotten, or not used, wherever history may have become another one."""

import pickle
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from etl.domain.snapshot import Origin, Page, Snapshot
from etl.load.doubt import Doubt
from etl.loading import Loading
from etl.pipeline import Pipeline
from etl.preparing import Preparer
from etl.result import Result
from etl.sources.registry import kinds
from tests.database.roles import as_owner
from tests.load.believing import Ticking
from tests.load.registries import Registry, lives
from tests.load.test_parts import MODELS, applied, believed, forget_one, registry, take
from tests.load.worlds import START

KIND = "helicone_registry"
NESTED = 200_000
UNUSUAL = {
    "too deep": b'{"data": {"models": ' + b"[" * NESTED + b"]" * NESTED + b"}}",
    "too deep around": b'{"x": ' + b"[" * NESTED + b"]" * NESTED + b', "data": {"models": []}}',
    "no text": b'{"\xff": 1, "data": {"models": []}}',
    "half a character": b'{"\xed\xa0\x80": 1, "data": {"models": []}}',
}


def saved(name: str, day: int, body: bytes, kind: str = KIND) -> Snapshot:
    """A body as it is backfilled."""
    at = START + timedelta(days=day)
    page = Page(number=1, url=f"day-{day}.json", status=200, body=body, fetched_at=at)
    return Snapshot(source=name, kind=kind, observed_at=at, origin=Origin.BACKFILL, pages=(page,))


def in_bulk(engine: Engine, name: str, taken: Sequence[Snapshot]) -> list[Result]:
    """Load them as one chunk that a worker prepared."""
    source = kinds()[KIND](name)

    class Ready:
        def __init__(self, snapshot: Snapshot) -> None:
            self.read = lambda _name, _kind: snapshot

    chunk, error = Preparer(source, {}).chunk(None, [Ready(each) for each in taken])
    assert error is None
    ticking = Ticking()
    loading = Loading(begin=engine.begin, aside=engine.begin, source=source, now=lambda _: ticking(), confirm=None)
    return list(loading.take_all(pickle.loads(pickle.dumps(chunk))))  # noqa: S301


@pytest.mark.parametrize("body", UNUSUAL.values(), ids=UNUSUAL)
def test_what_cannot_be_taken_apart_is_read_whole_and_blocks_nothing(engine: Engine, body: bytes) -> None:
    pipeline, source = Pipeline(engine, Ticking()), kinds()[KIND]("s")
    taken = [saved("s", 0, registry().body()), saved("s", 1, body), saved("s", 2, registry(*MODELS[1:]).body())]
    whole = "failed" if body is not UNUSUAL["half a character"] else "loaded"
    assert [pipeline.take(source, each).status for each in taken] == ["loaded", whole, "loaded"]
    taken = [replace(each, source="b") for each in taken]
    assert [result.status for result in in_bulk(engine, "b", taken)] == ["loaded", whole, "loaded"]


def test_bytes_that_were_landed_as_another_kind_are_read_as_that_one_in_bulk_too(engine: Engine) -> None:
    other = saved("s", 1, registry().body(), kind="helicone_gateway")
    pipeline = Pipeline(engine, Ticking())
    assert pipeline.take(kinds()["helicone_gateway"]("s"), other).status == "failed"
    assert [result.status for result in in_bulk(engine, "s", [saved("s", 1, registry().body())])] == ["failed"]
    assert pipeline.verify(kinds()[KIND]("s"), is_applied=False, progress=lambda *_: None).agrees


def test_what_the_database_refuses_leaves_nothing_behind_for_the_next_of_its_chunk(engine: Engine) -> None:
    with as_owner(engine).begin() as connection:
        connection.execute(text("ALTER TABLE core.model ADD CHECK (name <> 'refused')"))
    refused = registry(("m0", "refused", ()), *MODELS[2:4])
    worlds = [registry(), refused, registry(("m7", "A", ()), *MODELS[:4]), registry(*MODELS[1:])]
    taken = [saved("bulk", day, world.body()) for day, world in enumerate(worlds)]
    assert [result.status for result in in_bulk(engine, "bulk", taken)] == ["loaded", "failed", "loaded", "loaded"]
    assert [take(engine, "single", day, world) for day, world in enumerate(worlds)][1] == "failed"
    assert believed(engine, "bulk") == believed(engine, "single")


def test_what_the_first_of_a_chunk_staged_is_gone_when_it_is_refused(engine: Engine) -> None:
    with as_owner(engine).begin() as connection:
        connection.execute(text("ALTER TABLE core.model ADD CHECK (name <> 'refused')"))
    worlds = [registry(("m9", "refused", ())), registry(), registry(*MODELS[1:])]
    taken = [saved("s", day, world.body()) for day, world in enumerate(worlds)]
    assert [result.status for result in in_bulk(engine, "s", taken)] == ["failed", "loaded", "loaded"]
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM core.model WHERE valid_to IS NULL")) == 4


def test_a_large_catalog_leaves_nothing_staged_for_the_next_of_its_chunk(engine: Engine) -> None:
    models = tuple((f"m{number}", "A", MODELS[0][2]) for number in range(200))
    worlds = [registry(*models), registry(*models[:-1]), registry(*models[1:])]
    in_bulk(engine, "bulk", [saved("bulk", day, world.body()) for day, world in enumerate(worlds)])
    for day, world in enumerate(worlds):
        take(engine, "single", day, world)
    assert believed(engine, "bulk") == believed(engine, "single")


def test_a_held_snapshot_makes_the_next_one_be_read_whole_and_a_released_one_is_remembered(engine: Engine) -> None:
    pipeline, source = Pipeline(engine, Ticking()), kinds()[KIND]("s")
    take(engine, "s", 0, registry())
    assert take(engine, "s", 1, registry(MODELS[0]), Origin.RUN) == "held"
    assert applied(engine, "s") == 1
    assert pipeline.release(source, 2).status == "loaded"
    assert applied(engine, "s") == 2
    take(engine, "s", 2, registry(*MODELS[:2]))
    assert pipeline.verify(source, is_applied=False, progress=lambda *_: None).agrees


def test_what_a_confirmed_snapshot_removed_and_the_next_one_shows_is_there(engine: Engine) -> None:
    take(engine, "s", 0, registry())
    assert take(engine, "s", 1, registry(MODELS[0]), Origin.RUN) == "held"
    assert take(engine, "s", 2, registry(*MODELS[:2]), Origin.RUN) == "loaded"
    with engine.connect() as connection:
        history = "SELECT model_id || ' ' || (valid_to IS NULL)::text FROM mart.model_history WHERE model_id < 'm3'"
        found = connection.scalars(text(f"{history} ORDER BY model_id, valid_from")).all()
    assert found == ["m0 true", "m1 false", "m1 true", "m2 false"]


def test_names_that_come_and_go_around_the_same_records_come_and_go(engine: Engine) -> None:
    for day, names in enumerate((("groq",), ("openai",), ("groq",), None)):
        take(engine, "s", day, registry(names=names))
        assert applied(engine, "s") == day + 1
    with engine.connect() as connection:
        found = connection.scalars(text("SELECT provider FROM core.provider WHERE valid_to IS NULL")).all()
        assert connection.scalar(text("SELECT count(*) FROM core.provider")) == 3
    assert found == ["groq"]


def test_a_corrected_history_is_no_longer_vouched_for(engine: Engine) -> None:
    pipeline, source = Pipeline(engine, Ticking()), kinds()[KIND]("s")
    take(engine, "s", 0, registry())
    with as_owner(engine).begin() as connection:
        connection.execute(text("UPDATE core.model SET name = 'edited' WHERE model_id = 'm3'"))
    assert not pipeline.verify(source, is_applied=True, progress=lambda *_: None).agrees
    assert applied(engine, "s") is None


def test_the_same_bytes_read_as_another_kind_say_something_else(engine: Engine) -> None:
    body = b'{"data": [{"id": "openai/o1", "pricing": {"prompt": "1e-6"}}, {"id": "openai/o3"}]}'
    pipeline, outcomes = Pipeline(engine, Ticking()), []
    for day, kind in enumerate(("helicone_gateway", "bifrost", "bifrost", "helicone_gateway")):
        outcomes.append(pipeline.take(kinds()[kind]("s"), saved("s", day, body, kind)).status)
        assert applied(engine, "s") == day + 1
    assert outcomes == ["loaded", "loaded", "unchanged", "loaded"]
    assert pipeline.verify(kinds()["bifrost"]("s"), is_applied=False, progress=lambda *_: None).agrees


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=lives(), order=st.permutations(range(6)), origins=st.lists(st.sampled_from(Origin), min_size=6, max_size=6))
def test_in_any_order_and_whatever_is_decided_parts_make_what_the_whole_makes(
    engine: Engine, days: list[Registry], order: list[int], origins: list[Origin]
) -> None:
    parts, whole = (f"{way} {uuid.uuid4()}" for way in ("parts", "whole"))
    for place, day in enumerate(day for day in order if day < len(days)):
        took = take(engine, parts, day, days[day], origins[day])
        forget_one(engine, whole)
        assert take(engine, whole, day, days[day], origins[day]) == took
        if took == "held" and place % 2:
            for name in (parts, whole):
                decide(engine, name, Pipeline.release if place % 4 == 1 else Pipeline.reject)
    assert believed(engine, parts) == believed(engine, whole)


def decide(engine: Engine, name: str, decision: Callable[..., object]) -> None:
    """Release or reject the snapshot of a source that is held."""
    with engine.connect() as connection:
        held = text("SELECT max(snapshot_id) FROM core.snapshot WHERE source = :s AND status = 'held'")
        number = connection.scalar(held, {"s": name})
    pipeline = Pipeline(engine, Ticking(), doubt=Doubt(share=0.5))
    if decision is Pipeline.release:
        pipeline.release(kinds()[KIND](name), number)
    else:
        pipeline.reject(number)
