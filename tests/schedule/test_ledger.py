"""What becomes of each due time: exactly one run serves it, or it is missed and the ledger says why."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from etl.load import ledger
from etl.load.ledger import Asking, Caller, Run
from tests.database.roles import as_owner
from tests.extract.gateway import Asked, Gateway, ok, reply
from tests.schedule.stage import (
    CATALOG,
    NAME,
    NOON,
    HandClock,
    attendant,
    configure,
    runs,
    settings,
    slots,
    source,
)

ASKING = Asking(
    source=NAME,
    cron=settings("http://nowhere").sources[NAME].schedule,
    caller=Caller(kind="schedule", worker="host:1"),
    is_due_only=True,
)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway(ok(CATALOG)) as found:
        yield found


def begin(engine: Engine, clock: HandClock, asking: Asking = ASKING) -> Run:
    """A run that somebody begins and nobody ends."""
    with engine.begin() as connection:
        begun = ledger.begin(connection, asking, clock())
    assert begun is not None
    return begun


def test_a_source_that_never_had_a_slot_is_run_at_once(engine: Engine, clock: HandClock, gateway: Gateway) -> None:
    configure(engine)
    result = attendant(engine, clock, settings(gateway.url)).attend(source(settings(gateway.url)), is_due_only=True)
    assert (result.status, result.run_id, result.bytes) == ("loaded", 1, len(CATALOG))
    assert slots(engine) == [("11:07", "done", 1)]
    assert runs(engine) == [(1, "11:07", "loaded")]


def test_each_slot_has_one_run_and_a_person_may_have_more(engine: Engine, clock: HandClock, gateway: Gateway) -> None:
    configure(engine)
    there = source(settings(gateway.url))
    here = attendant(engine, clock, settings(gateway.url))
    assert here.attend(there, is_due_only=True).run_id == 1
    clock.forward(minutes=1)
    again = here.attend(there, is_due_only=True)
    assert (again.status, again.run_id, again.is_well) == ("not_due", None, True)
    assert again.reason == "slot 2026-05-01 11:07Z: run 1 by host:1"
    clock.forward(minutes=1)
    assert here.attend(there, is_due_only=False).status == "unchanged"
    clock.forward(minutes=10)
    assert here.attend(there, is_due_only=False).run_id == 3
    assert runs(engine) == [(1, "11:07", "loaded"), (2, None, "unchanged"), (3, "12:07", "unchanged")]
    assert slots(engine) == [("11:07", "done", 1), ("12:07", "done", 3)]
    assert len(gateway.asked) == 3


def test_after_an_outage_one_run_catches_up_and_the_missed_slots_stay(
    engine: Engine, clock: HandClock, gateway: Gateway
) -> None:
    configure(engine)
    here, there = attendant(engine, clock, settings(gateway.url)), source(settings(gateway.url))
    here.attend(there, is_due_only=True)
    clock.forward(hours=4)
    assert here.attend(there, is_due_only=True, why_missed="the power was out").run_id == 2
    assert slots(engine) == [
        ("11:07", "done", 1),
        ("12:07", "missed", None),
        ("13:07", "missed", None),
        ("14:07", "missed", None),
        ("15:07", "done", 2),
    ]
    with engine.connect() as connection:
        reasons = connection.scalars(text("SELECT DISTINCT reason FROM mart.slot WHERE status = 'missed'")).all()
        observed = connection.scalars(text("SELECT observed_at FROM mart.snapshot ORDER BY 1")).all()
    assert reasons == ["the power was out"]
    assert observed == [NOON, clock.now]


def test_a_source_is_due_from_the_moment_on_at_which_it_was_scheduled(
    engine: Engine, clock: HandClock, gateway: Gateway
) -> None:
    configure(engine)
    here, there = attendant(engine, clock, settings(gateway.url)), source(settings(gateway.url))
    here.attend(there, is_due_only=True)
    configure(engine, enabled=False)
    clock.forward(hours=4)
    configure(engine, now=clock.now)
    clock.forward(hours=1)
    here.attend(there, is_due_only=True)
    assert slots(engine) == [("11:07", "done", 1), ("16:07", "done", 2)]


def test_a_source_that_is_not_enabled_has_no_slots(engine: Engine, clock: HandClock, gateway: Gateway) -> None:
    configure(engine, enabled=False)
    configuration = settings(gateway.url, enabled=False)
    here, there = attendant(engine, clock, configuration), source(configuration)
    assert here.attend(there, is_due_only=True).status == "not_due"
    assert here.attend(there, is_due_only=False).status == "loaded"
    assert (slots(engine), runs(engine)) == ([], [(1, None, "loaded")])


def test_a_failed_run_served_its_slot(engine: Engine, clock: HandClock) -> None:
    configure(engine)
    with Gateway(reply(404)) as gateway:
        result = attendant(engine, clock, settings(gateway.url)).attend(source(settings(gateway.url)), is_due_only=True)
    assert result.status == "failed"
    assert slots(engine) == [("11:07", "done", 1)]
    with engine.connect() as connection:
        assert "HTTP 404" in str(connection.scalar(text("SELECT error FROM mart.run")))


def test_a_database_that_refuses_what_came_is_a_failed_run_and_no_outage(
    engine: Engine, clock: HandClock, gateway: Gateway
) -> None:
    configure(engine)
    with as_owner(engine).begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION public.full_disk() RETURNS trigger LANGUAGE plpgsql"
                " AS $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$"
            )
        )
        trigger = "CREATE TRIGGER full_disk BEFORE INSERT ON raw.content FOR EACH ROW EXECUTE FUNCTION full_disk()"
        connection.execute(text("SET LOCAL search_path = public"))
        connection.execute(text(trigger))
    result = attendant(engine, clock, settings(gateway.url)).attend(source(settings(gateway.url)), is_due_only=True)
    assert result.status == "failed"
    assert "no space left" in str(result.error)
    assert (slots(engine), runs(engine)) == ([("11:07", "done", 1)], [(1, "11:07", "failed")])


def test_the_slot_of_a_run_that_died_is_served_by_another(engine: Engine, clock: HandClock, gateway: Gateway) -> None:
    configure(engine)
    begin(engine, clock)
    assert slots(engine) == [("11:07", "taken", 1)]
    result = attendant(engine, clock, settings(gateway.url)).attend(source(settings(gateway.url)), is_due_only=True)
    assert result.run_id == 2
    assert runs(engine) == [(1, "11:07", "abandoned"), (2, "11:07", "loaded")]
    assert slots(engine) == [("11:07", "done", 2)]


def test_a_slot_that_was_abandoned_is_missed_when_the_next_one_is_due(
    engine: Engine, clock: HandClock, gateway: Gateway
) -> None:
    configure(engine)
    begin(engine, clock)
    clock.forward(hours=1)
    attendant(engine, clock, settings(gateway.url)).attend(source(settings(gateway.url)), is_due_only=True)
    assert slots(engine) == [("11:07", "missed", 1), ("12:07", "done", 2)]
    with engine.connect() as connection:
        reason = connection.scalar(text("SELECT reason FROM mart.slot WHERE status = 'missed'"))
    assert reason == "run 1 was abandoned: it was cut off"


def test_a_run_that_landed_before_it_died_served_its_slot(engine: Engine, clock: HandClock, gateway: Gateway) -> None:
    configure(engine)
    here, there = attendant(engine, clock, settings(gateway.url)), source(settings(gateway.url))
    here.attend(there, is_due_only=True)
    with engine.begin() as connection:
        connection.execute(text("UPDATE core.run SET outcome = NULL, ended_at = NULL"))
        connection.execute(text("UPDATE core.slot SET status = 'taken'"))
    assert here.attend(there, is_due_only=True).status == "not_due"
    assert runs(engine) == [(1, "11:07", "loaded")]
    assert slots(engine) == [("11:07", "done", 1)]


def test_a_run_that_was_given_up_for_dead_lands_nothing(engine: Engine, clock: HandClock) -> None:
    configure(engine)
    asked, may_answer = threading.Event(), threading.Event()

    def late(connection: socket.socket, request: Asked) -> None:
        asked.set()
        may_answer.wait(10)
        ok(CATALOG)(connection, request)

    with Gateway(late, ok(CATALOG)) as gateway, ThreadPoolExecutor() as pool:
        there, here = source(settings(gateway.url)), attendant(engine, clock, settings(gateway.url))
        slow = pool.submit(here.attend, there, is_due_only=True)
        asked.wait(10)
        with engine.connect() as connection:  # The server forgets the session, as when it is restarted.
            held = "state = 'idle in transaction' AND datname = current_database()"
            connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {held}"))
        clock.forward(seconds=5)
        assert here.attend(there, is_due_only=True).status == "loaded"
        may_answer.set()
        result = slow.result()
    assert result.status == "failed"
    assert "run 1 was given up for dead" in str(result.error)
    assert runs(engine) == [(1, "11:07", "abandoned"), (2, "11:07", "loaded")]
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM raw.snapshot")) == 1


def test_many_at_once_make_one_run(engine: Engine, clock: HandClock, gateway: Gateway) -> None:
    configure(engine)
    start = threading.Barrier(8)
    said: list[str] = []

    def attend(number: int) -> None:
        here = attendant(engine, clock, settings(gateway.url), worker=f"host:{number}")
        start.wait()
        said.append(here.attend(source(settings(gateway.url)), is_due_only=True).status)

    threads = [threading.Thread(target=attend, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(set(said) - {"taken", "not_due"}) == ["loaded"]
    assert said.count("loaded") == 1
    assert len(gateway.asked) == 1
    assert len(runs(engine)) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO core.run (source, due_at, caller, worker, started_at) VALUES ('here', now(), 'run', 'w', now())",
        "INSERT INTO core.run (source, due_at, caller, worker, started_at, ended_at, outcome)"  # noqa: ISC004
        " SELECT source, due_at, caller, worker, started_at, now(), 'loaded' FROM core.run WHERE run_id = 1",
        "UPDATE core.slot SET status = 'missed'",
        "UPDATE core.slot SET run_id = NULL",
        "UPDATE core.run SET outcome = 'loaded' WHERE run_id = 2",
    ],
)
def test_the_database_refuses_two_runs_of_a_slot_and_half_a_ledger(
    engine: Engine, clock: HandClock, gateway: Gateway, sql: str
) -> None:
    configure(engine)
    attendant(engine, clock, settings(gateway.url)).attend(source(settings(gateway.url)), is_due_only=True)
    clock.forward(hours=1)
    begin(engine, clock)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text(sql))
