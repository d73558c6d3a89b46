"""What other processes do in these tests. They are forked from a server that has everything imported already."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from multiprocessing.context import ForkServerProcess
from typing import Any

from sqlalchemy import make_url

from etl.config import Settings, SourceSettings, configured
from etl.pipeline import Pipeline
from etl.result import Result
from etl.sources.registry import kinds
from tests.extract.sources import QUICK
from tests.faults.driver import Moment, watched_engine
from tests.load.worlds import World, moment, snapshot

Arrivals = Sequence[tuple[int, World]]
"""Days and what their snapshots show, in the order in which they arrive."""


def start(task: Callable[..., None], *args: Any) -> ForkServerProcess:
    """Begin a task in a process of its own; its arguments must survive pickling."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=task, args=args)
    process.start()
    return process


def ended(process: ForkServerProcess, seconds: float = 60) -> int | None:
    """How the process ended: 0, or minus the signal; it is killed when it does not end in time."""
    process.join(seconds)
    if process.is_alive():
        process.kill()
        process.join()
        raise AssertionError(f"process {process.pid} did not end within {seconds:g} s")
    return process.exitcode


def backfill_until(url: str, source: str, arrivals: Arrivals, at: int) -> None:
    """Load snapshots and die at a numbered moment."""
    for result in backfilled(Pipeline(watched_engine(make_url(url), dying(at)), now), source, arrivals):
        assert result.is_well, result


def run_until(url: str, source: str, gateway: str, day: int, at: int) -> None:
    """Take a snapshot and die at a numbered moment."""
    [result] = pulled(
        Pipeline(watched_engine(make_url(url), dying(at)), lambda: moment(day), limits=QUICK), source, gateway
    )
    assert result.is_well, result


def backfill_at(url: str, source: str, arrivals: Arrivals, when: float) -> None:
    """Load snapshots from a moment of the clock on."""
    time.sleep(max(0.0, when - time.time()))
    backfill_until(url, source, arrivals, at=-1)


def run_at(url: str, source: str, gateways: Mapping[int, str], when: float) -> None:
    """Take one snapshot after the other, each dated by its day, from a moment of the clock on."""
    time.sleep(max(0.0, when - time.time()))
    for day, gateway in gateways.items():
        run_until(url, source, gateway, day, at=-1)


def dying(at: int) -> Moment:
    """Counts moments, and kills this process at one of them as nothing can be caught that kills; -1: never."""
    count = iter(range(1_000_000))

    def at_moment(*_: Any) -> None:
        if next(count) == at:
            os.kill(os.getpid(), signal.SIGKILL)

    return at_moment


def backfilled(pipeline: Pipeline, source: str, arrivals: Arrivals) -> list[Result]:
    """Load saved snapshots of invented worlds, in the order of their arrival."""
    return list(
        pipeline.backfill(kinds()["bifrost"](source), [snapshot(source, day, world) for day, world in arrivals])
    )


def pulled(pipeline: Pipeline, source: str, gateway: str) -> list[Result]:
    """Take one snapshot of a gateway."""
    settings = Settings(sources={source: SourceSettings(kind="bifrost", url=gateway)})
    return list(pipeline.run([configured(settings, {})[source]], settings))


def now() -> datetime:
    """The time, as the command line tells it to the pipeline."""
    return datetime.now(UTC)
