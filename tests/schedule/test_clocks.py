"""What the ledger makes of a clock that was ahead, of a configuration that changed, and of a run that is not ours."""

from datetime import datetime, timedelta

from sqlalchemy import Engine, text

from etl.load import ledger
from etl.load.configured import SourceEntry, record
from etl.load.ledger import Asking, Caller, Run
from tests.schedule.stage import NAME, NOON, configure, runs, settings

ASKING = Asking(
    source=NAME,
    cron=settings("http://nowhere").sources[NAME].schedule,
    caller=Caller(kind="schedule", worker="host:1"),
    is_due_only=True,
)


def serve(engine: Engine, now: datetime) -> Run | None:
    """A run for the open slot, which ends at once."""
    with engine.begin() as connection:
        begun = ledger.begin(connection, ASKING, now)
        if begun is not None:
            ledger.end(connection, begun, outcome="unchanged", error=None, now=now)
    return begun


def test_a_clock_that_was_ahead_stops_nothing_when_it_is_set_right(engine: Engine) -> None:
    configure(engine)
    serve(engine, NOON)
    configure(engine, "8 * * * *", now=NOON + timedelta(days=30))
    configure(engine, now=NOON + timedelta(days=30))
    assert serve(engine, NOON + timedelta(days=30, hours=1))
    for hours in range(1, 4):
        served = serve(engine, NOON + timedelta(hours=hours))
        assert served is not None
        assert served.due_at == NOON + timedelta(hours=hours - 1, minutes=7)
        assert serve(engine, NOON + timedelta(hours=hours)) is None


def test_slots_that_a_clock_ahead_called_missed_are_served_in_their_time(engine: Engine) -> None:
    configure(engine)
    serve(engine, NOON)
    assert serve(engine, NOON + timedelta(days=1))
    for hours in range(1, 24):
        assert serve(engine, NOON + timedelta(hours=hours)) is not None
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM mart.slot WHERE status = 'missed'")) == 0


def test_another_max_age_hides_no_missed_slot_and_delays_no_run(engine: Engine) -> None:
    configure(engine)
    serve(engine, NOON)
    later = NOON + timedelta(hours=5)
    entry = SourceEntry(source=NAME, kind="bifrost", enabled=True, max_age=timedelta(hours=4), schedule="7 * * * *")
    with engine.begin() as connection:
        record(connection, [entry], [], [], now=later)
    assert serve(engine, later) is not None
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM mart.slot WHERE status = 'missed'")) == 4


def test_whoever_is_stopped_abandons_no_run_of_another(engine: Engine) -> None:
    configure(engine)
    with engine.begin() as connection:
        lost = ledger.begin(connection, ASKING, NOON)
    with engine.begin() as connection:
        ledger.begin(connection, ASKING, NOON)
    assert lost is not None
    with engine.begin() as connection:
        ledger.abandon(connection, NAME, NOON, "the scheduler was stopped", run_id=lost.run_id)
    assert runs(engine) == [(1, "11:07", "abandoned"), (2, "11:07", None)]
