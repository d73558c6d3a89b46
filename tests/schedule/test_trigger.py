"""The daemon wakes at each due time, a little later by chance, and never twice for what it slept through."""

from datetime import UTC, datetime, timedelta

from etl.cron import Cron
from etl.schedule.trigger import SlotTrigger

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def test_it_fires_within_the_jitter_after_the_due_time() -> None:
    trigger = SlotTrigger(Cron("7 * * * *"), timedelta(seconds=20))
    due = NOON.replace(minute=7)
    fired = [trigger.get_next_fire_time(None, NOON) for _ in range(200)]
    assert all(due <= moment <= due + timedelta(seconds=20) for moment in fired)
    assert len(set(fired)) > 100


def test_without_jitter_it_fires_when_it_is_due() -> None:
    trigger = SlotTrigger(Cron("7 * * * *"), timedelta())
    assert trigger.get_next_fire_time(None, NOON) == NOON.replace(minute=7)
    assert trigger.get_next_fire_time(NOON.replace(minute=7), NOON.replace(minute=7)) == NOON.replace(hour=13, minute=7)


def test_a_jitter_longer_than_the_schedule_leaves_no_slot_out() -> None:
    trigger = SlotTrigger(Cron("* * * * *"), timedelta(hours=1))
    assert all(trigger.get_next_fire_time(None, NOON) < NOON + timedelta(minutes=1.5) for _ in range(200))


def test_what_was_slept_through_is_one_firing() -> None:
    trigger = SlotTrigger(Cron("* * * * *"), timedelta())
    assert trigger.get_next_fire_time(NOON, NOON + timedelta(days=3)) == NOON + timedelta(days=3, minutes=1)
