"""The daemon: waits for the slots of each source and attends to them, until it is told to stop.

The schedule is configuration and the ledger is in Postgres, so that APScheduler keeps nothing: it only wakes us.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue
from typing import Any

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.exc import DBAPIError

from etl.concurrency import MOST
from etl.cron import Cron
from etl.errors import DatabaseError, EtlError, in_short
from etl.schedule.plan import Plan
from etl.schedule.trigger import SlotTrigger
from etl.schedule.watch import Watch

BEAT = 1.0
"""Seconds between two signs of life."""

SILENCE = 30.0
"""Seconds without a sign of life after which the daemon counts as dead."""

GRACE = 6.0
"""Seconds that runs are given to end when the daemon is told to stop; then they are abandoned."""

BACK = timedelta(seconds=30)
"""By so much a clock may be set back without our notice: what is due comes that much later."""

STOP = (signal.SIGTERM, signal.SIGINT)

RELOAD = timedelta(seconds=5)
"""Time until a reload is tried again that the database did not allow."""

HOUSEKEEPING = "housekeeping"

OWN = "own"
"""The executor of what the daemon does besides the sources."""


class Daemon:
    """Attends to the sources of a plan. ``replan`` reads the configuration anew; raises ``EtlError`` when it is wrong.

    ``trigger`` makes APScheduler's trigger from a schedule and its jitter.
    """

    def __init__(
        self, replan: Callable[[], Plan], trigger: Callable[[Cron, timedelta], BaseTrigger] = SlotTrigger
    ) -> None:
        self._replan = replan
        self._plan = replan()
        self._trigger = trigger
        self._watch = Watch(lambda: self._plan)
        self._beat = time.monotonic()
        self._now = datetime.now(UTC)
        # Late is better than never: what a busy or sleeping machine delayed is done once, when it can be.
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        # Sources that wait for a database must not keep the daemon from its own work.
        executors = {"default": ThreadPoolExecutor(MOST), OWN: ThreadPoolExecutor(2)}
        self._scheduler = BackgroundScheduler(timezone=UTC, job_defaults=defaults, executors=executors)
        self._reloading = threading.Lock()

    def run(self) -> bool:
        """Work until SIGTERM or SIGINT; SIGHUP reads the configuration anew. Tells whether all runs came to their end.

        Threads may be at it still, at least at telling of it: the process has to be ended without waiting for them.
        """
        # APScheduler warns of what we want: that a source is not attended to twice at once.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        with _signals() as received:
            # What is kept up to date may be out of date since no daemon ran.
            options: dict[str, Any] = {"id": HOUSEKEEPING, "executor": OWN, "next_run_time": datetime.now(UTC)}
            self._scheduler.add_job(self._each_minute, IntervalTrigger(minutes=1), **options)
            self._apply()
            self._scheduler.start()
            structlog.get_logger().info("scheduling", sources=sorted(self._plan.sources))
            while (number := self._next(received)) not in STOP:
                if number == signal.SIGHUP:
                    self._scheduler.add_job(self._reload, executor=OWN)
            structlog.get_logger().info("stopping", signal=signal.Signals(number).name)
            self._scheduler.shutdown(wait=False)
            return self._watch.end(GRACE)

    def why_dead(self) -> str | None:
        """Why nobody waits for slots any more, in one line; null while the daemon does."""
        if not self._scheduler.running:
            return "the scheduler does not run"
        silent = time.monotonic() - self._beat
        return f"no sign of life for {silent:.0f} s" if silent > SILENCE else None

    def _next(self, received: "SimpleQueue[int]") -> int:
        """The next signal; 0 when a beat went by without one."""
        self._beat = time.monotonic()
        self._follow_clock()
        try:
            return received.get(timeout=BEAT)
        except Empty:
            return 0

    def _follow_clock(self) -> None:
        """Plan anew what was planned by a clock that was ahead: it would sleep for as long as that was wrong."""
        former, self._now = self._now, datetime.now(UTC)
        if self._now < former - BACK:
            structlog.get_logger().warning(
                "the clock went back: planning anew", seconds=int((former - self._now).total_seconds())
            )
            self._scheduler.modify_job(HOUSEKEEPING, next_run_time=self._now)
            self._apply()

    def _reload(self) -> None:
        """Go on with the configuration as it is now, or, if that is wrong, as it was; wait for the database."""
        with self._reloading:
            try:
                self._plan = self._replan()
            except (DatabaseError, DBAPIError) as error:
                structlog.get_logger().warning(
                    "the configuration is not reloaded yet: trying again", because=in_short(error)
                )
                again = DateTrigger(datetime.now(UTC) + RELOAD)
                self._scheduler.add_job(self._reload, again, executor=OWN)
                return
            except EtlError as error:
                structlog.get_logger().error(
                    "the configuration is wrong: going on with the former one", because=in_short(error)
                )
                return
            self._apply()
            structlog.get_logger().info("configuration reloaded", sources=sorted(self._plan.sources))

    def _apply(self) -> None:
        """Give each source of the plan its job, and each job its source."""
        jobs = {job.id: job for job in self._scheduler.get_jobs() if job.executor != OWN}
        for name in jobs.keys() - self._plan.sources.keys():
            jobs[name].remove()
        for name, source in self._plan.sources.items():
            trigger = self._trigger(source.settings.schedule, source.settings.jitter)
            # It fires at once, because a slot may be open: one that nobody served while no daemon ran.
            options: dict[str, Any] = {"id": name, "args": [name], "next_run_time": datetime.now(UTC)}
            self._scheduler.add_job(self._watch.attend, trigger, replace_existing=True, **options)

    def _each_minute(self) -> None:
        self._plan.each_minute()


@contextmanager
def _signals() -> Iterator["SimpleQueue[int]"]:
    """The signals that concern a daemon, as they come; only such a queue bears that a handler interrupts anything."""
    received: SimpleQueue[int] = SimpleQueue()
    numbers = (*STOP, signal.SIGHUP)
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    former = {number: signal.signal(number, lambda arrived, _: received.put(arrived)) for number in numbers}
    try:
        yield received
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
