"""What the daemon does: its plan by the configuration as it is, and whom it serves meanwhile."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import structlog
from sqlalchemy.exc import DBAPIError

from etl import log, telemetry
from etl.cli.invocation import Session
from etl.cli.session import clock
from etl.config import FILE, ConfiguredSource
from etl.database import migrations
from etl.errors import ConfigurationError
from etl.load import health, retention
from etl.report.file import Keeper
from etl.result import Result
from etl.schedule.daemon import Daemon
from etl.schedule.http import Machine
from etl.schedule.metrics import Metrics
from etl.schedule.plan import Plan
from etl.schedule.readiness import asking_engine, readiness

PATIENCE = 3
"""Seconds that a plan waits for who loads a source that is configured otherwise now; then it is tried again."""


def stay(current: Session) -> NoReturn:
    """Attend the sources until a signal ends the process."""
    sources = current.ready(())
    log.narrate(even_to_people=True)
    metrics = Metrics(lambda: health.sources(planning.asking))
    planning = _Planning(current, sources, metrics)
    daemon = Daemon(planning)
    with _served(current, daemon, metrics, planning):
        daemon.run()
    # Whatever thread is still at it, a walk or a message, holds nothing that would not be done again.
    telemetry.flush()
    sys.stderr.flush()
    os._exit(0)


@contextmanager
def _served(current: Session, daemon: Daemon, metrics: Metrics, planning: "_Planning") -> Iterator[None]:
    """Serve machines meanwhile, if they were given an address."""
    address = current.settings.http_address
    if address is None:
        yield
        return
    is_ready = readiness(lambda: planning.asking)
    with Machine(address, liveness=daemon.why_dead, readiness=is_ready, metrics=metrics.registry) as machine:
        structlog.get_logger().info("serving machines", host=machine.address.host, port=machine.address.port)
        yield


class _Planning:
    """Plans by the configuration as it is now; the first one is by that of the command.

    ``asking`` is for questions to the warehouse of the last plan: its address may be told anew at a reload.
    """

    def __init__(self, first: Session, sources: list[ConfiguredSource], metrics: Metrics) -> None:
        self._session = first
        self._file = first.config_file or Path(FILE)
        self._is_there = self._file.exists()
        self._metrics = metrics
        self._is_round_over = threading.Event()
        self._plan: Plan | None = self._planned(first, sources, patience=0)

    def __call__(self) -> Plan:
        if self._plan is not None:
            plan, self._plan = self._plan, None
            return plan
        current = replace(self._session)
        if self._is_there and not self._file.exists():
            # Nobody empties a configuration by moving its file for a moment.
            raise ConfigurationError(f"{self._file} is gone: put it back, or an empty one if nothing is configured")
        self._is_there = self._file.exists()
        plan = self._planned(current, current.ready(()), patience=PATIENCE)
        if current.settings.http_address != self._session.settings.http_address:
            structlog.get_logger().warning("http_address counts from the next start on", because="it is bound once")
        return plan

    def _planned(self, current: Session, sources: list[ConfiguredSource], *, patience: int) -> Plan:
        current.record_configuration(patience=patience)
        self.asking = asking_engine(current.engine.url)
        notifier, keeper = current.notifier, _keeper(current)

        def require_ready() -> None:
            if current.is_embedded:
                current.server.ensure()
            migrations.require_current(current.engine)

        def after(result: Result, seconds: float) -> None:
            self._metrics.observe(result, seconds)
            notifier.tell()
            if result.is_well:
                self._is_round_over.set()

        def each_minute() -> None:
            """Sources that are due together make one round. What others recorded meanwhile is ours again."""
            with suppress(DBAPIError):
                current.record_configuration(patience=PATIENCE)
            notifier.tell()
            if keeper is not None:
                keeper.keep()
            for kind, before in current.settings.retention.limits(clock()).items():
                with suppress(DBAPIError):
                    retention.prune_batch(current.engine, kind, before)
            if self._is_round_over.is_set() and notifier.is_well():
                self._is_round_over.clear()
                notifier.ping()

        return Plan(
            pipeline=current.pipeline,
            settings=current.settings,
            sources={source.name: source for source in sources},
            require_ready=require_ready,
            each_minute=each_minute,
            after=after,
        )


def _keeper(current: Session) -> Keeper | None:
    """Who keeps the report, if one is wanted."""
    wanted = current.settings.report
    return Keeper(wanted.folder, wanted.schedule, current.engine, clock) if wanted.folder else None
