"""Attends to a source: one run for each slot, recorded in the ledger from its beginning to its end."""

import os
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import structlog
from sqlalchemy.exc import DBAPIError

from etl.concurrency import at_once
from etl.config import ConfiguredSource, Settings
from etl.load import ledger
from etl.load.ledger import Asking, Caller, Run
from etl.load.locks import renew
from etl.pipeline import Pipeline, Take
from etl.result import Result, broken
from etl.telemetry import Span, span

PATIENCE = 600.0
"""Seconds beyond a walk's own time after which the server takes the lock from a process that only seems to live."""


def this_process() -> str:
    """What the ledger calls this process."""
    return f"{socket.gethostname()}:{os.getpid()}"


@dataclass(frozen=True)
class Attendant:
    """Runs sources in the name of one caller, each alone, and writes down what became of it."""

    pipeline: Pipeline
    settings: Settings
    caller: Caller
    began: Callable[[Run], None] = lambda _: None
    ended: Callable[[Run], None] = lambda _: None
    """Told of each run at its beginning and at its end."""

    def run(self, sources: Iterable[ConfiguredSource], *, is_due_only: bool = False) -> Iterator[Result]:
        """One snapshot now of each source, concurrently, as the slots allow; results come as they are ready."""
        yield from at_once(lambda source: self.attend(source, is_due_only=is_due_only), sources)
        self.pipeline.settle()

    def attend(self, configured: ConfiguredSource, *, is_due_only: bool, why_missed: str = ledger.NOBODY) -> Result:
        """Run a source unless another process is at it, or, with ``is_due_only``, no slot of it is open.

        Then the status is ``taken`` or ``not_due``. Raises ``DBAPIError`` when the database fails; the run is
        then closed by whoever comes next.
        """
        name = configured.name
        patience = configured.settings.timeout_seconds + PATIENCE
        with ledger.attending(self.pipeline.engine, name, patience) as lock:
            if lock is None:
                return self._taken(name)
            asking = Asking(
                source=name,
                cron=configured.settings.schedule if configured.is_enabled else None,
                caller=self.caller,
                is_due_only=is_due_only,
                why_missed=why_missed,
            )
            with self.pipeline.engine.begin() as connection:
                begun = ledger.begin(connection, asking, self.pipeline.slot_time(connection))
                # A run that lost the lock meanwhile must not have closed the run of another.
                renew(lock)
            if begun is None:
                return self._not_due(name)
            about = {"source": name, "run": begun.run_id}
            with structlog.contextvars.bound_contextvars(**about), span("etl.run", **about) as work:
                return self._told(self._run(configured, begun), begun, work)

    def _run(self, configured: ConfiguredSource, begun: Run) -> Result:
        self.began(begun)
        _log().info("run began", slot=begun.due_at)
        try:
            take = partial(self.pipeline.take, run_id=begun.run_id)
            result = replace(self._pull(configured, take), run_id=begun.run_id)
            with self.pipeline.engine.begin() as connection:
                error = result.error or (result.reason if not result.is_well else None)
                now = self.pipeline.slot_time(connection)
                ledger.end(connection, begun, outcome=result.status, error=error, now=now)
        finally:
            self.ended(begun)
        return result

    def _pull(self, configured: ConfiguredSource, take: Take) -> Result:
        """The result of a run; a database that is there and refuses is a failure like others, and is not hurried."""
        try:
            return self.pipeline.pull(configured, self.settings, take)
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            return broken(configured.name, error)

    def _told(self, result: Result, begun: Run, work: Span) -> Result:
        """The result of a run, after it was said to whoever watches."""
        reason = result.error or result.reason
        facts = {"outcome": result.status, "bytes": result.bytes, "opened": result.opened, "closed": result.closed}
        work.tell(**facts, snapshot=result.snapshot_id)
        if not result.is_well:
            work.fail(reason)
        seconds = round((self.pipeline.clock() - begun.started_at).total_seconds(), 3)
        say = _log().info if result.is_well else _log().warning
        say("run ended", slot=begun.due_at, snapshot=result.snapshot_id, seconds=seconds, **facts, because=reason)
        return result

    def _taken(self, name: str) -> Result:
        with self.pipeline.engine.connect() as connection:
            other = ledger.going_on(connection, name)
        who = f"run {other.run_id} by {other.worker} since {other.started_at:%H:%M:%S}Z" if other else "another process"
        return Result(source=name, status="taken", reason=f"{who} is at it")

    def _not_due(self, name: str) -> Result:
        with self.pipeline.engine.connect() as connection:
            last = ledger.latest_slot(connection, name, self.pipeline.slot_time(connection))
        if last is None:
            return Result(source=name, status="not_due")
        became = last.reason if last.status == "missed" else f"run {last.run_id} by {last.worker}"
        return Result(source=name, status="not_due", reason=f"slot {last.due_at:%Y-%m-%d %H:%M}Z: {became}")


def _log() -> structlog.stdlib.BoundLogger:
    """Where runs tell how they go; etl/log.py decides who hears it."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger("etl.run")
    return logger
