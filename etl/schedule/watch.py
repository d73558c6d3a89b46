"""Keeps watch over the sources: attends to each when it is due, through outages of the database, until the end."""

import threading
import time
from collections.abc import Callable, Iterator
from itertools import chain, repeat

import structlog
from sqlalchemy.exc import DBAPIError

from etl.attend import Attendant, this_process
from etl.config import ConfiguredSource
from etl.errors import EtlError, in_short
from etl.load import ledger
from etl.load.ledger import NOBODY, Caller, Run
from etl.load.locks import wait_at_most
from etl.result import Result
from etl.schedule.plan import Plan

POLL = 2.0
"""Seconds between two looks at a source that another process is at."""

PAUSES = (1.0, 2.0, 5.0, 10.0)
"""Seconds between two looks at a database that does not answer; the last one repeats."""

OUTAGE = "the database did not answer"

WHY_STOPPED = "the daemon was told to end"


class Watch:
    """The runs of one process. ``plan`` gives what to work by now."""

    def __init__(self, plan: Callable[[], Plan]) -> None:
        self._plan = plan
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._going_on: dict[int, Run] = {}

    def attend(self, name: str) -> None:
        """Serve the open slot of a source, and those that come due meanwhile; wait while another process is at it.

        A database that does not answer is waited for. What nobody served then is recorded as missed.
        """
        why_missed, pauses, is_ours = NOBODY, _pauses(), False
        while not self._ending.is_set() and (source := self._plan().sources.get(name)) is not None:
            try:
                result = self._attend(source, why_missed)
            except (DBAPIError, EtlError) as error:
                _warn(name, error)
                why_missed = OUTAGE
                self._ending.wait(next(pauses))
                continue
            if result.status == "not_due":
                if not is_ours:
                    structlog.get_logger().info("nothing to do", source=name, because=result.reason)
                return
            is_ours = result.status != "taken"
            why_missed, pauses = NOBODY, _pauses()
            if not is_ours:
                self._ending.wait(POLL)

    def end(self, grace: float) -> bool:
        """Give what is going on ``grace`` seconds to end, and abandon the rest; tells whether nothing was left."""
        self._ending.set()
        deadline = time.monotonic() + grace
        while self._left() and time.monotonic() < deadline:
            time.sleep(0.05)
        left = self._left()
        if left:
            # The database may be what they wait for, and must not keep us as well.
            giving_up = threading.Thread(target=self._abandon, args=(left,), daemon=True)
            giving_up.start()
            giving_up.join(timeout=1.5)
        return not left

    def _attend(self, source: ConfiguredSource, why_missed: str) -> Result:
        plan = self._plan()
        plan.require_ready()
        caller = Caller(kind="schedule", worker=this_process())
        attendant = Attendant(plan.pipeline, plan.settings, caller, self._began, self._ended)
        began = time.monotonic()
        result = attendant.attend(source, is_due_only=True, why_missed=why_missed)
        if result.run_id is not None:
            plan.pipeline.settle()
            plan.after(result, time.monotonic() - began)
        return result

    def _began(self, run: Run) -> None:
        with self._lock:
            self._going_on[run.run_id] = run

    def _ended(self, run: Run) -> None:
        with self._lock:
            self._going_on.pop(run.run_id, None)

    def _left(self) -> list[Run]:
        with self._lock:
            return list(self._going_on.values())

    def _abandon(self, runs: list[Run]) -> None:
        """Say in the ledger that these runs will not end, so that another process can take their slots at once."""
        pipeline = self._plan().pipeline
        for run in runs:
            try:
                with pipeline.engine.begin() as connection:
                    wait_at_most(connection, seconds=1)
                    now = pipeline.slot_time(connection)
                    ledger.abandon(connection, run.source, now, WHY_STOPPED, outcome="stopped", run_id=run.run_id)
            except DBAPIError as error:
                _warn(run.source, error)
            structlog.get_logger().warning("run stopped", source=run.source, run=run.run_id)


def _pauses() -> Iterator[float]:
    return chain(PAUSES, repeat(PAUSES[-1]))


def _warn(name: str, error: Exception) -> None:
    what = "the database does not answer: trying again"
    structlog.get_logger().warning(what, source=name, because=in_short(error))
