"""When a job fires: at each due time of a schedule, and a little later by chance, so that not all ask at once."""

import random
from datetime import datetime, timedelta

from apscheduler.triggers.base import BaseTrigger

from etl.cron import Cron


class SlotTrigger(BaseTrigger):  # type: ignore[misc]
    """Fires up to ``jitter`` after each due time, but well before the next one.

    APScheduler's own cron trigger counts weekdays from Monday and wants all fields to agree, unlike every cron.
    """

    def __init__(self, cron: Cron, jitter: timedelta) -> None:
        self.cron, self.jitter = cron, jitter

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The first moment after both; what came due meanwhile is caught up by one run."""
        due = self.cron.following(max(previous_fire_time or now, now))
        most = min(self.jitter, (self.cron.following(due) - due) / 2)
        return due + most * random.random()  # noqa: S311  chance spreads load here, it protects nothing
