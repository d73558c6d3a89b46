"""Changes as they were believed: always what the versions make, and a feed that misses nothing and repeats nothing."""

import json
from collections import Counter
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import URL, Engine, text

from etl.database.driver import run_script
from etl.database.engine import open_engine
from etl.load import derive
from etl.load.locks import lock
from tests.load.believing import Timeline, load
from tests.load.worlds import World, history, moment, timelines
from tests.oracle.changes import Told, price_changes

A, B = "openai/a", "openai/b"
EVENTS = text("SELECT * FROM mart.change_feed WHERE position > :after ORDER BY position")
STATE = text(
    """
    SELECT (to_jsonb(c) - '{asserted,retracted,known_from,known_to,suspicion}'::text[])::text
      FROM core.price_change c WHERE known_to IS NULL
    UNION ALL
    SELECT (to_jsonb(c) - '{asserted,retracted,known_from,known_to}'::text[])::text
      FROM core.catalog_change c WHERE known_to IS NULL
    """
)
FACTS = """
    SELECT event, (to_jsonb(e) - '{position,event,counterpart,known_at,is_suspect}'::text[]
                   - CASE entity WHEN 'price' THEN '{entity,attribute,old_value,new_value}'::text[]
                                 ELSE '{plan,meter,tier_start,currency,old_currency,cause,old_state,new_state,
                                        old_unit_price,
                                        new_unit_price,ratio,is_economic,is_reversal}'::text[] END)::text AS fact
      FROM mart.change_feed e WHERE position > :after AND position <= :upto
"""


def world(**prices: str) -> World:
    return World({f"openai/{name}": (name, {"prompt": price}) for name, price in prices.items()})


def disagreement(engine: Engine, source: str) -> list[Any]:
    """Changes that are believed and that the versions do not make, or the other way round."""
    with engine.connect() as connection:
        return [
            row
            for _, believed, made in derive.pairs(source)
            for row in (*connection.execute(believed.except_(made)), *connection.execute(made.except_(believed)))
        ]


def told(engine: Engine) -> set[Told]:
    """The changes of prices that the mart shows."""
    query = text(
        "SELECT model_id, provider, meter, change, old_state, trim_scale(old_unit_price)::text AS old,"
        " new_state, trim_scale(new_unit_price)::text AS new, changed_at, is_economic, is_reversal"
        " FROM mart.price_change"
    )
    with engine.connect() as connection:
        return {
            Told(
                (row.model_id, row.provider, row.meter),
                row.change,
                None if row.old_state is None else (row.old_state, row.old),
                None if row.new_state is None else (row.new_state, row.new),
                row.changed_at,
                row.is_economic,
                row.is_reversal,
            )
            for row in connection.execute(query)
        }


def state(engine: Engine) -> tuple[int, Counter[str]]:
    """How far the feed goes, and the changes that are believed."""
    with engine.connect() as connection:
        return derive.cursor(connection), Counter(connection.scalars(STATE))


def difference(engine: Engine, after: int, upto: int) -> Counter[str]:
    """What the feed says between two positions: assertions less retractions."""
    sums: Counter[str] = Counter()
    with engine.connect() as connection:
        for event, fact in connection.execute(text(FACTS), {"after": after, "upto": upto}):
            sums[fact] += 1 if event == "assertion" else -1
    return Counter({fact: count for fact, count in sums.items() if count})


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds=timelines(6), data=st.data())
def test_after_every_arrival_in_any_order_the_feed_sums_up_to_what_the_versions_make(
    engine: Engine, server_url: URL, worlds: Timeline, data: st.DataObject
) -> None:
    forget_everything(open_engine(server_url.set(database=engine.url.database)))
    states = [state(engine)]
    for day in data.draw(st.permutations(sorted(worlds))):
        load(engine, "s", day, worlds[day])
        assert disagreement(engine, "s") == []
        states.append(state(engine))
    assert told(engine) == price_changes(history(worlds)[1], moment(min(worlds)))
    for first, (after, before) in enumerate(states):
        for upto, now in states[first:]:
            expected = Counter(now)
            expected.subtract(before)
            assert difference(engine, after, upto) == Counter(
                {fact: count for fact, count in expected.items() if count}
            )


def forget_everything(engine: Engine) -> None:
    """Empty the warehouse for each example, as a superuser; the positions of the feed go on."""
    with engine.begin() as connection:
        run_script(
            connection,
            "TRUNCATE core.price_change, core.catalog_change, core.model, core.endpoint, core.price, core.provider,"
            " core.author, core.unseen, core.quarantine, core.unmapped_field, core.snapshot, core.source CASCADE;",
        )
        run_script(
            connection, "SET LOCAL session_replication_role = replica; DELETE FROM raw.page; DELETE FROM raw.snapshot;"
        )


def test_a_late_arrival_is_told_as_a_retraction_and_an_assertion(engine: Engine) -> None:
    load(engine, "s", 1, world(a="1"))
    load(engine, "s", 5, world(a="2"))
    after, _ = state(engine)
    load(engine, "s", 3, world(a="2"))
    with engine.connect() as connection:
        gone, here = connection.execute(EVENTS, {"after": after}).all()
    assert (gone.event, here.event) == ("retraction", "assertion")
    assert (gone.changed_at.day, here.changed_at.day) == (6, 4)
    assert (gone.new_unit_price, here.new_unit_price) == (2, 2)
    assert gone.known_at == here.known_at


def test_a_late_arrival_that_only_narrows_the_time_of_a_change_is_told_too(engine: Engine) -> None:
    load(engine, "s", 1, world(a="1"))
    load(engine, "s", 5, world(a="2"))
    after, _ = state(engine)
    load(engine, "s", 3, world(a="1"))
    with engine.connect() as connection:
        gone, here = connection.execute(EVENTS, {"after": after}).all()
    assert (gone.not_before.day, here.not_before.day) == (2, 4)


def test_what_came_with_the_first_snapshot_becomes_a_change_when_an_earlier_one_arrives(engine: Engine) -> None:
    load(engine, "s", 2, world(a="1", b="1"))
    assert state(engine)[1] == Counter()
    load(engine, "s", 1, world(a="1"))
    with engine.connect() as connection:
        events = connection.execute(EVENTS, {"after": 0}).all()
    assert {(row.entity, row.model_id, row.change) for row in events} == {
        ("price", B, "added"),
        ("model", B, "came"),
        ("endpoint", B, "came"),
    }


def test_nothing_new_tells_nothing(engine: Engine) -> None:
    load(engine, "s", 1, world(a="1"))
    load(engine, "s", 2, world(a="2"))
    after, _ = state(engine)
    load(engine, "s", 3, world(a="2.0"))
    load(engine, "s", 3, world(a="2.0"))
    assert state(engine)[0] == after


def test_positions_become_visible_in_their_order_whoever_commits_first(engine: Engine, warehouse_url: URL) -> None:
    for source in ("one", "two"):
        load(engine, source, 1, world(a="1"))
    after, _ = state(engine)
    other = open_engine(warehouse_url)
    with engine.begin() as slow:
        lock(slow, "feed")
        thread = Thread(target=load, args=(other, "two", 2, world(a="2")))
        thread.start()
        thread.join(timeout=1)
        assert thread.is_alive()
        assert state(engine)[0] == after
    thread.join(timeout=30)
    assert state(engine)[0] > after


def test_every_load_is_notified_when_it_commits(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        run_script(connection, f"LISTEN {derive.CHANNEL}")
        driver = connection.connection.driver_connection
        assert driver is not None
        for day, price in enumerate(["1", "2", "2"], 1):
            load(engine, "s", day, world(a=price))
        heard = [json.loads(each.payload) for each in driver.notifies(timeout=5, stop_after=3)]
    assert [(each["source"], each["observed_at"][:10]) for each in heard] == [
        ("s", f"2026-01-0{day}") for day in (2, 3, 4)
    ]
    assert heard[0]["cursor"] == 0 < heard[1]["cursor"] == heard[2]["cursor"] == state(engine)[0]
