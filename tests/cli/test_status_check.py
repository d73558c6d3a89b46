"""``etl status --check``: all well ends with 0, anything that is not with 1 and a line on stderr."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from etl.domain.snapshot import Origin
from tests.cli.conftest import Run
from tests.mart.test_source_health import FEW, FULL, S, ago, configure, fail, shown, take
from tests.processes import Ended


@pytest.fixture
def check(etl: Run, warehouse: Engine) -> Callable[..., Ended]:
    configure(warehouse, S)
    return lambda *arguments: etl("status", "--check", *arguments)


def scheduled_since(engine: Engine, hours: float) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE core.source SET scheduled_from = :at"), {"at": ago(hours=hours)})


def test_what_is_fresh_ends_with_0_and_no_complaint(check: Callable[..., Ended], warehouse: Engine) -> None:
    take(warehouse, shown(ago(hours=1), FULL))
    ended = check()
    assert (ended.status, ended.complaints) == (0, [])
    assert "fresh" in ended.out


def test_what_is_stale_ends_with_1_and_says_since_when(check: Callable[..., Ended], warehouse: Engine) -> None:
    take(warehouse, shown(ago(hours=4), FULL))
    ended = check()
    assert ended.status == 1
    [line] = ended.complaints
    assert line.startswith(
        f"etl: s: stale, last complete at {ago(hours=4):%Y-%m-%d %H:%M:%S}Z, may be 3:00:00 old; see"
    )


def test_what_fails_ends_with_1_and_says_why(check: Callable[..., Ended], warehouse: Engine) -> None:
    take(warehouse, shown(ago(hours=1), FULL))
    for minutes in (20, 10):
        fail(warehouse, ago(minutes=minutes))
    ended = check()
    assert (ended.status, ended.complaints) == (1, ["etl: s: failing, 2 times in a row: no answer"])


def test_what_is_held_ends_with_1_beside_being_fresh(check: Callable[..., Ended], warehouse: Engine) -> None:
    take(warehouse, shown(ago(hours=1), FULL))
    take(warehouse, shown(ago(minutes=1), FEW))
    ended = check()
    assert ended.status == 1
    [line] = ended.complaints
    assert line.startswith("etl: s: 1 held; decide by `etl snapshots release` or `reject`")


def test_what_never_ran_is_wrong_when_it_had_its_time(check: Callable[..., Ended], warehouse: Engine) -> None:
    assert check().status == 0
    scheduled_since(warehouse, 4)
    ended = check()
    assert ended.status == 1
    assert ended.complaints == [
        "etl: s: never run, although scheduled for more than 3:00:00; begin with `etl run s`",
    ]


def test_a_backfill_of_this_minute_does_not_help(check: Callable[..., Ended], warehouse: Engine) -> None:
    take(warehouse, shown(ago(hours=4), FULL))
    take(warehouse, replace(shown(ago(minutes=1), FULL), origin=Origin.BACKFILL))
    assert check().status == 1


def test_what_is_disabled_is_not_asked_for(check: Callable[..., Ended], warehouse: Engine) -> None:
    take(warehouse, shown(ago(hours=3), FULL))
    assert take(warehouse, shown(ago(hours=2), FEW)).status == "held"
    fail(warehouse, ago(hours=1))
    scheduled_since(warehouse, 9)
    configure(warehouse, replace(S, enabled=False))
    assert (check().status, check().complaints) == (0, [])


def test_the_document_stays_one_and_has_the_three_facts(check: Callable[..., Ended], warehouse: Engine) -> None:
    take(warehouse, shown(ago(hours=4), FULL))
    ended = check("--json")
    assert ended.status == 1
    [row] = [row for row in json.loads(ended.out) if row["source"] == "s"]
    assert {"last_attempt_at", "last_complete_at", "last_change_at", "missed_slots"} <= row.keys()
    assert not {"is_overdue", "is_recorded_enabled"} & row.keys()


def test_without_the_option_what_is_wrong_is_only_shown(etl: Run, warehouse: Engine) -> None:
    configure(warehouse, S)
    fail(warehouse, ago(hours=1))
    ended = etl("status")
    assert (ended.status, ended.complaints) == (0, [])
    assert "failing" in ended.out
