"""Clocks that are ahead or behind: of this host, of the database, of a gateway."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from etl.domain.snapshot import Origin
from etl.load.clock import database_time
from etl.load.log import status
from etl.pipeline import Pipeline
from etl.result import Result
from etl.sources.registry import kinds
from tests.extract.gateway import Gateway, ok
from tests.extract.sources import QUICK
from tests.load.believing import believed, clock
from tests.load.test_taking_back import verify
from tests.load.worlds import World, body
from tests.mart.test_source_health import shown
from tests.schedule.stage import NAME, attendant, configure, settings, source

ONE = World({"openai/m0": ("A", {"prompt": "1"})})
TWO = World({"openai/m0": ("A", {"prompt": "2"})})
YEARS = timedelta(days=730)


def host(off: timedelta) -> Callable[[], datetime]:
    """The clock of a host that is off by so much."""
    return lambda: datetime.now(UTC) + off


def pipeline(engine: Engine, off: timedelta) -> Pipeline:
    """As a command makes it, on a host whose clock is off."""
    return Pipeline(engine, host(off), limits=QUICK, known_clock=database_time)


def run(engine: Engine, off: timedelta, world: World) -> Result:
    """A live snapshot, dated by the host."""
    here = pipeline(engine, off)
    return here.take(kinds()["bifrost"]("s"), shown(here.clock(), world))


def known(engine: Engine) -> datetime:
    with engine.connect() as connection:
        found: datetime = connection.scalar(text("SELECT max(known_from) FROM core.price"))
    return found


def test_a_snapshot_dated_by_a_clock_that_is_ahead_fails_with_its_bytes_landed(engine: Engine) -> None:
    run(engine, timedelta(0), ONE)
    failed = run(engine, YEARS, TWO)
    assert failed.status == "failed"
    assert "729 days ahead of the database's clock: check the clock of this host" in str(failed.error)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM raw.page")) == 2
        assert connection.scalar(text("SELECT unit_price FROM mart.price_current")) == 1
    assert verify(engine)
    assert verify(engine, is_applied=True)
    assert run(engine, timedelta(0), TWO).status == "loaded"
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT unit_price FROM mart.price_current")) == 2


@pytest.mark.parametrize(("off", "became"), [(50, "loaded"), (-50, "loaded"), (70, "failed"), (-86400, "loaded")])
def test_clocks_may_differ_by_a_minute_and_be_behind(engine: Engine, off: int, became: str) -> None:
    assert run(engine, timedelta(seconds=off), ONE).status == became


@pytest.mark.parametrize("off", [YEARS, -YEARS], ids=["ahead", "behind"])
def test_the_second_clock_is_that_of_the_database_whatever_the_host_says(engine: Engine, off: timedelta) -> None:
    here = pipeline(engine, off)
    saved = [shown(clock() - timedelta(days=day), world, Origin.BACKFILL) for day, world in ((3, ONE), (2, TWO))]
    before = clock()
    list(here.backfill(kinds()["bifrost"]("s"), saved))
    assert before < known(engine) < clock()
    with engine.connect() as connection:
        landed = connection.scalars(text("SELECT landed_at FROM mart.snapshot")).all()
    assert all(before < at < clock() for at in landed)


def test_a_host_that_is_behind_shifts_what_it_observes_and_not_when_that_became_known(engine: Engine) -> None:
    run(engine, timedelta(0), ONE)
    before = clock()
    assert run(engine, -timedelta(hours=5), TWO).status == "loaded"
    assert before < known(engine) < clock()
    prices = sorted((start, value[1], end) for _, value, start, end in believed(engine, "s")[1])
    assert [(amount, end is None) for _, amount, end in prices] == [("2", False), ("1", True)]


def test_a_dry_run_with_a_clock_that_is_ahead_says_so(engine: Engine) -> None:
    here = pipeline(engine, YEARS)
    done = here.rehearse(kinds()["bifrost"]("s"), shown(here.clock(), ONE))
    assert (done.status, "ahead of the database's clock" in str(done.error)) == ("failed", True)


@pytest.mark.parametrize("off", [timedelta(hours=9), -timedelta(hours=9)])
def test_the_clock_of_a_gateway_dates_nothing(engine: Engine, off: timedelta) -> None:
    date = f"{datetime.now(UTC) + off:%a, %d %b %Y %H:%M:%S GMT}"
    with Gateway(ok(body(ONE), Date=date)) as gateway:
        configured = settings(gateway.url)
        before = clock()
        done = pipeline(engine, timedelta(0)).pull(source(configured), configured, pipeline(engine, timedelta(0)).take)
    assert done.status == "loaded"
    assert done.observed_at is not None
    assert before <= done.observed_at <= clock()


def test_a_run_with_a_clock_that_is_ahead_writes_down_no_slots_to_come(engine: Engine) -> None:
    configure(engine, now=clock() - timedelta(hours=3))
    became = []
    with Gateway(ok(body(ONE)), ok(body(ONE)), ok(body(TWO))) as gateway:
        configured = settings(gateway.url)
        for off in (timedelta(0), YEARS, timedelta(0)):
            here = replace(attendant(engine, clock, configured), pipeline=pipeline(engine, off))
            became.append(here.attend(source(configured), is_due_only=False).status)
    assert became == ["loaded", "failed", "loaded"]
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM mart.slot")) <= 2
        assert connection.scalar(text("SELECT max(started_at) FROM mart.run")) < clock() + timedelta(minutes=2)
        [row] = [row for row in status(connection) if row["source"] == NAME]
    assert (row["status"], row["missed_slots"]) == ("fresh", 0)


def test_slots_that_a_clock_which_was_ahead_wrote_down_are_not_counted_as_missed(engine: Engine) -> None:
    configure(engine)
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO core.slot (source, due_at, status, reason)"
                " SELECT :name, now() + n * interval '1 hour', 'missed', 'nothing' FROM generate_series(1, 20) n"
            ),
            {"name": NAME},
        )
        [row] = [row for row in status(connection) if row["source"] == NAME]
    assert row["missed_slots"] == 0
