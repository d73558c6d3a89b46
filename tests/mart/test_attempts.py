"""What counts as an attempt and what makes a source fresh: three facts, which no clock and no dead process can bend."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from etl.cron import Cron
from etl.domain.snapshot import Origin
from etl.load import ledger
from etl.load.ledger import Asking, Caller, Run
from etl.load.log import status
from etl.pipeline import Pipeline
from etl.sources.registry import kinds
from tests.load.believing import clock
from tests.mart.test_source_health import FEW, FULL, S, ago, configure, fail, health, shown, take

ASKING = Asking(source="s", cron=Cron("7 * * * *"), caller=Caller(kind="schedule", worker="w"), is_due_only=False)


@pytest.fixture(autouse=True)
def _enabled(engine: Engine) -> None:
    configure(engine, S)


def begin(engine: Engine, at: datetime) -> Run:
    with engine.begin() as connection:
        begun = ledger.begin(connection, ASKING, at)
    assert begun
    return begun


def failed_run(engine: Engine, at: datetime, error: str = "s: no address") -> None:
    """A run that ended before there was anything to land."""
    begun = begin(engine, at)
    with engine.begin() as connection:
        ledger.end(connection, begun, outcome="failed", error=error, now=at)


def abandon(engine: Engine, at: datetime) -> None:
    with engine.begin() as connection:
        ledger.abandon(connection, "s", at, "its process ended before it did")


def test_a_run_that_landed_nothing_is_an_attempt_that_failed(engine: Engine) -> None:
    take(engine, shown(ago(hours=2), FULL))
    failed_run(engine, ago(hours=1))
    row = health(engine)
    assert (row.status, row.consecutive_failures, row.last_error) == ("failing", 1, "s: no address")
    assert (row.last_attempt_at, row.last_complete_at) == (ago(hours=1), ago(hours=2))


def test_the_very_first_attempt_may_land_nothing(engine: Engine) -> None:
    failed_run(engine, ago(hours=1))
    row = health(engine)
    assert (row.status, row.consecutive_failures, row.last_attempt_at) == ("failing", 1, ago(hours=1))


def test_a_run_whose_process_died_is_an_attempt_that_failed(engine: Engine) -> None:
    take(engine, shown(ago(hours=2, minutes=30), FULL))
    begin(engine, ago(hours=2))
    assert health(engine).status == "fresh"
    abandon(engine, ago(hours=1))
    row = health(engine)
    assert (row.status, row.last_error, row.last_attempt_at) == (
        "failing",
        "its process ended before it did",
        ago(hours=2),
    )


def test_a_run_that_was_told_to_end_is_no_failure_of_the_source(engine: Engine) -> None:
    take(engine, shown(ago(hours=2, minutes=30), FULL))
    begin(engine, ago(hours=2))
    with engine.begin() as connection:
        ledger.abandon(connection, "s", ago(hours=1), "the daemon was told to end", outcome="stopped")
    row = health(engine)
    assert (row.status, row.consecutive_failures, row.last_error) == ("fresh", 0, None)


def test_failures_with_and_without_a_snapshot_are_counted_together_and_each_once(engine: Engine) -> None:
    fail(engine, ago(hours=9))
    take(engine, shown(ago(hours=6), FULL))
    failed_run(engine, ago(hours=5))
    begun = begin(engine, ago(hours=4))
    fail(engine, ago(hours=4))
    with engine.begin() as connection:
        landed = connection.scalar(text("SELECT max(snapshot_id) FROM raw.snapshot"))
        ledger.land(connection, begun.run_id, int(landed or 0))
        ledger.end(connection, begun, outcome="failed", error="s: no answer", now=ago(hours=4))
    failed_run(engine, ago(hours=2), "s: nobody home")
    assert (health(engine).consecutive_failures, health(engine).last_error) == (3, "s: nobody home")
    take(engine, shown(ago(hours=1), FULL))
    assert (health(engine).consecutive_failures, health(engine).last_error) == (0, None)


def test_what_is_landed_and_not_loaded_yet_neither_fails_nor_recovers(engine: Engine) -> None:
    failed_run(engine, ago(hours=2))
    take(engine, shown(ago(hours=1), FULL))
    with engine.begin() as connection:
        connection.execute(text("UPDATE core.snapshot SET status = 'landed'"))
    row = health(engine)
    assert (row.status, row.consecutive_failures, row.last_attempt_at) == ("failing", 1, ago(hours=1))


def test_a_run_that_broke_while_it_loaded_has_failed(engine: Engine) -> None:
    begun = begin(engine, ago(hours=1, minutes=1))
    take(engine, shown(ago(hours=1), FULL))
    with engine.begin() as connection:
        connection.execute(text("UPDATE core.snapshot SET status = 'landed'"))
        ledger.land(connection, begun.run_id, int(connection.scalar(text("SELECT snapshot_id FROM raw.snapshot")) or 0))
        ledger.end(connection, begun, outcome="failed", error="s: KeyError", now=ago(hours=1))
    assert (health(engine).status, health(engine).last_error) == ("failing", "s: KeyError")


def test_a_dry_run_is_no_attempt(engine: Engine) -> None:
    Pipeline(engine, clock).rehearse(kinds()["bifrost"]("s"), shown(ago(minutes=1), FULL))
    assert (health(engine).status, health(engine).last_attempt_at) == ("never", None)


def test_a_backfill_of_today_leaves_a_stale_source_stale_and_a_failing_one_failing(engine: Engine) -> None:
    take(engine, shown(ago(hours=5), FULL))
    take(engine, shown(ago(minutes=1), FULL, Origin.BACKFILL))
    assert (health(engine).status, health(engine).last_complete_at) == ("stale", ago(hours=5))
    failed_run(engine, ago(minutes=2))
    take(engine, shown(ago(seconds=30), FEW, Origin.BACKFILL))
    row = health(engine)
    assert (row.status, row.consecutive_failures, row.last_attempt_at) == ("failing", 1, ago(minutes=2))


def test_a_moment_still_to_come_makes_nothing_fresh_and_hides_no_failure(engine: Engine) -> None:
    take(engine, shown(ago(hours=5), FULL))
    # As a version of the program that trusted its own clock loaded it.
    source, to_come = kinds()["bifrost"]("s"), shown(ago(days=-300), FULL)
    assert Pipeline(engine, lambda: to_come.observed_at).take(source, to_come).status == "unchanged"
    row = health(engine)
    assert (row.status, row.last_attempt_at, row.last_complete_at) == ("stale", ago(hours=5), ago(hours=5))
    failed_run(engine, ago(hours=1))
    assert health(engine).status == "failing"
    take(engine, shown(ago(minutes=1), FULL))
    assert (health(engine).status, health(engine).last_complete_at) == ("fresh", ago(minutes=1))


def test_clocks_may_differ_by_a_little(engine: Engine) -> None:
    take(engine, shown(ago(seconds=-30), FULL))
    assert health(engine).status == "fresh"


def test_a_source_whose_snapshots_are_dated_by_a_clock_that_is_ahead_is_failing(engine: Engine) -> None:
    take(engine, shown(ago(hours=1), FULL))
    take(engine, shown(ago(days=-300), FULL))
    row = health(engine)
    assert (row.status, row.consecutive_failures) == ("failing", 1)
    assert "ahead of the database's clock" in row.last_error
    take(engine, shown(clock(), FULL))
    assert health(engine).status == "fresh"


def test_the_status_tells_the_error_of_a_run_that_landed_nothing_and_what_was_missed(engine: Engine) -> None:
    take(engine, shown(ago(hours=30), FULL))
    failed_run(engine, ago(hours=30))
    with engine.begin() as connection:
        connection.execute(text("UPDATE core.source SET scheduled_from = :at"), {"at": ago(hours=30)})
    failed_run(engine, ago(minutes=61))
    with engine.connect() as connection:
        [row] = status(connection)
    assert (row["last_status"], row["reason"]) == ("failed", "s: no address")
    assert 20 <= row["missed_slots"] <= 24
    assert row["is_overdue"] is False


def test_a_source_that_never_ran_is_overdue_when_it_had_its_time(engine: Engine) -> None:
    with engine.begin() as connection:
        [row] = status(connection)
        assert row["is_overdue"] is False
        connection.execute(text("UPDATE core.source SET scheduled_from = :at"), {"at": ago(hours=4)})
        [row] = status(connection)
        assert row["is_overdue"] is True
        connection.execute(text("UPDATE core.source SET max_age = :age"), {"age": timedelta(hours=5)})
        [row] = status(connection)
        assert row["is_overdue"] is False
