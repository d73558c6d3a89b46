"""Pruning: what is old goes, a batch at a time; what is needed stays, and history and its proof stay as they are."""

import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from etl.cron import Cron
from etl.load import ledger, retention
from etl.load.ledger import Asking, Caller
from tests.dump import dump
from tests.load.archiving import fill, verify
from tests.load.worlds import WORLDS, World
from tests.processes import environment
from tests.processes import etl as run_etl

DAY = timedelta(days=1)
NOW = datetime.now(UTC)
ALL = dict.fromkeys(retention.KINDS, NOW - 30 * DAY)

FILL = """
INSERT INTO core.source (source, kind) VALUES ('s', 'bifrost') ON CONFLICT DO NOTHING;
INSERT INTO core.run (source, due_at, caller, worker, started_at, ended_at, outcome)
SELECT 's', now() - (n - 0.5) * interval '1 hour', 'schedule', 'w',
       now() - (n - 0.5) * interval '1 hour', now(), 'unchanged'
  FROM generate_series({rows}, 1, -1) n;
INSERT INTO core.slot (source, due_at, status, run_id) SELECT source, due_at, 'done', run_id FROM core.run;
INSERT INTO core.outbox (message_id, receiver, kind, body, created_at, next_attempt_at, delivered_at)
SELECT gen_random_uuid(), 'r', 'opened', '{{}}', now() - (n - 0.5) * interval '1 hour', now(), now()
  FROM generate_series(1, {rows}) n;
INSERT INTO core.alert (source, problem, opened_at, count, resolved_at)
SELECT 's', 'stale', now() - (n - 0.5) * interval '1 hour', 1, now() - (n - 0.5) * interval '1 hour'
  FROM generate_series(1, {rows}) n;
"""

LOGS = ("slot", "run", "outbox", "alert")


def fill_logs(engine: Engine, rows: int) -> None:
    """An hourly source that ran so many times."""
    with engine.begin() as connection:
        for statement in FILL.format(rows=rows).split(";\n")[:-1]:
            connection.execute(text(statement.replace(":", r"\:")))


def execute(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


def sizes(engine: Engine, names: tuple[str, ...] = LOGS) -> list[int]:
    with engine.connect() as connection:
        return [connection.scalars(text(f"SELECT count(*) FROM core.{name}")).one() for name in names]


def pruned(engine: Engine, limits: retention.Limits = ALL) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, rows in retention.prune(engine, limits):
        assert rows <= retention.BATCH
        found[name] = found.get(name, 0) + rows
    return found


def test_what_is_old_goes_and_what_is_younger_stays(engine: Engine) -> None:
    fill_logs(engine, 6000)
    with engine.connect() as connection:
        counted = retention.count(connection, ALL)
    assert pruned(engine) == counted
    assert sizes(engine) == [720] * 4
    assert set(pruned(engine).values()) == {0}


def test_what_is_needed_stays_whatever_its_age(engine: Engine) -> None:
    fill_logs(engine, 3)
    execute(engine, "UPDATE core.slot SET due_at = due_at - interval '1 year'")
    execute(
        engine, "UPDATE core.run SET due_at = due_at - interval '1 year', started_at = started_at - interval '1 year'"
    )
    execute(engine, "UPDATE core.outbox SET created_at = created_at - interval '1 year', delivered_at = NULL")
    execute(engine, "UPDATE core.alert SET resolved_at = NULL WHERE alert_id = 1")
    execute(engine, "UPDATE core.alert SET opened_at = opened_at - interval '1 year'")
    execute(engine, "UPDATE core.slot SET status = 'taken' WHERE run_id = 1")
    execute(engine, "UPDATE core.run SET outcome = NULL, ended_at = NULL WHERE run_id = 1")
    assert pruned(engine) == {"slots": 1, "runs": 1, "outbox": 0, "alerts": 0, "quarantine": 0}
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT run_id FROM core.slot ORDER BY 1")).all() == [1, 3]
        assert connection.scalars(text("SELECT run_id FROM core.run ORDER BY 1")).all() == [1, 3]


def test_a_run_stays_as_long_as_its_slot(engine: Engine) -> None:
    fill_logs(engine, 1000)
    only_runs = {"runs": NOW - 30 * DAY}
    with engine.connect() as connection:
        assert retention.count(connection, only_runs) == {"runs": 0}
    assert pruned(engine, only_runs) == {"runs": 0}


def test_a_slot_that_a_clock_ahead_wrote_down_does_not_let_the_last_one_go(engine: Engine) -> None:
    fill_logs(engine, 1)
    execute(engine, "UPDATE core.slot SET due_at = now() - interval '1 year'")
    execute(engine, "INSERT INTO core.slot SELECT 's', due_at + interval '2 years', 'missed', NULL, 'x' FROM core.slot")
    assert pruned(engine, {"slots": NOW - 30 * DAY}) == {"slots": 0}


def test_history_and_its_proof_stand_without_the_quarantine_of_old_snapshots(engine: Engine) -> None:
    bad = World({"openai/m": ("A", {"prompt": "1"})}, garbage=True)
    fill(engine, worlds=WORLDS | {10: bad, 11: bad, 12: World(bad.models, garbage=True, order=1)})
    before = dump(engine)
    assert verify(engine).agrees
    assert pruned(engine, {"quarantine": NOW + 3650 * DAY})["quarantine"] > 0
    with engine.connect() as connection:
        found = connection.execute(text("SELECT page, reason FROM core.quarantine ORDER BY snapshot_id")).all()
    assert [row.page for row in found][-1] == 1
    assert {row.page for row in found[:-1]} == {retention.PRUNED}
    assert verify(engine, is_applied=True).agrees
    assert {name: rows for name, rows in dump(engine).items() if name != "core.quarantine"} == {
        name: rows for name, rows in before.items() if name != "core.quarantine"
    }
    assert pruned(engine, {"quarantine": NOW + 3650 * DAY}) == {"quarantine": 0}


def test_years_of_missed_minutes_are_recorded_without_holding_them_all(engine: Engine) -> None:
    fill_logs(engine, 1)
    execute(engine, "UPDATE core.slot SET due_at = date_trunc('day', now()) - interval '60 days'")
    asking = Asking(source="s", cron=Cron("* * * * *"), caller=Caller(kind="schedule", worker="w"), is_due_only=True)
    tracemalloc.start()
    with engine.begin() as connection:
        begun = ledger.begin(connection, asking, NOW)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert begun is not None
    assert begun.due_at == NOW.replace(second=0, microsecond=0)
    minutes = (begun.due_at - NOW.replace(hour=0, minute=0, second=0, microsecond=0) + 60 * DAY) // timedelta(minutes=1)
    assert sizes(engine, ("slot",)) == [minutes + 1]
    assert most < 15_000_000


@pytest.mark.slow
def test_pruning_that_is_killed_and_done_again_completes_beside_runs(engine: Engine, tmp_path: Path) -> None:
    fill_logs(engine, 100_000)
    (tmp_path / "etl.toml").write_text("[retention]\nslots_days = 30\nruns_days = 30\noutbox_days = 30\n")
    url = engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "etl", "db", "prune"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path, DATABASE_URL=url))
    _until(lambda: sizes(engine, ("slot",))[0] < 100_000)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    left = sizes(engine, ("slot",))[0]
    assert 0 < left < 100_000
    assert (100_000 - left) % retention.BATCH == 0
    began = time.monotonic()
    with engine.begin() as connection:
        asking = Asking(source="s", cron=None, caller=Caller(kind="run", worker="w"), is_due_only=False)
        assert ledger.begin(connection, asking, NOW) is not None
        ended = run_etl(tmp_path, "db", "prune", DATABASE_URL=url)
    assert ended.status == 0, ended.err
    assert time.monotonic() - began < 30
    assert sizes(engine, ("slot", "run", "outbox")) == [720, 720 + 1, 720]


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
