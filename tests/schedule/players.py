"""The processes of the soak: ``python -m tests.schedule.players ROLE JSON``, in a time that runs faster than ours."""

import json
import random
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from apscheduler.triggers.base import BaseTrigger
from sqlalchemy.exc import DBAPIError

from etl import log
from etl.attend import Attendant, this_process
from etl.config import ConfiguredSource, Settings, SourceSettings, configured
from etl.cron import Cron
from etl.database.engine import database_url, open_engine, require_reachable
from etl.load.ledger import Caller
from etl.pipeline import Pipeline
from etl.schedule.daemon import Daemon
from etl.schedule.plan import Plan
from tests.extract.sources import QUICK
from tests.faults.deadly import die_reading


@dataclass(frozen=True)
class FastClock:
    """Since ``began`` (seconds of our clock) time runs ``speed`` times as fast, from ``first`` on."""

    began: float
    speed: float
    first: datetime = datetime(2026, 5, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.first + timedelta(seconds=(time.time() - self.began) * self.speed)


class FastTrigger(BaseTrigger):  # type: ignore[misc]
    """Fires when it is time by the fast clock, and by chance a little later."""

    def __init__(self, cron: Cron, jitter: timedelta, *, clock: FastClock) -> None:
        self.cron, self.jitter, self.clock = cron, jitter, clock

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        del previous_fire_time
        wait = (self.cron.following(self.clock()) - self.clock()) / self.clock.speed
        return now + wait + timedelta(milliseconds=random.uniform(1, 50))  # noqa: S311  chance


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What every player knows: the database, the gateways of each source, the schedule, and the time."""

    url: str
    gateways: dict[str, str]
    schedule: str
    began: float
    speed: float
    kinds: dict[str, str] = field(default_factory=dict)
    """The kinds of the sources that are no Bifrost."""

    @property
    def clock(self) -> FastClock:
        return FastClock(self.began, self.speed)

    @property
    def settings(self) -> Settings:
        entry = {"schedule": self.schedule, "jitter": 0, "timeout_seconds": 20}
        return Settings(
            sources={
                name: SourceSettings.model_validate(entry | {"url": url, "kind": self.kinds.get(name, "bifrost")})
                for name, url in self.gateways.items()
            }
        )

    @property
    def sources(self) -> dict[str, ConfiguredSource]:
        """The sources that have a gateway, with keys where they need one."""
        found = configured(self.settings, {"MAJESTIX_API_KEY": "k" * 20, "PHASEO_API_KEY": "k" * 20})
        return {name: each for name, each in found.items() if name in self.gateways}

    def pipeline(self) -> Pipeline:
        return Pipeline(open_engine(database_url(self.url), connect_seconds=3), self.clock, limits=QUICK)


def schedule(stage: Stage) -> None:
    """A daemon."""

    def replan() -> Plan:
        pipeline = stage.pipeline()
        return Plan(
            pipeline=pipeline,
            settings=stage.settings,
            sources=stage.sources,
            require_ready=lambda: require_reachable(pipeline.engine),
        )

    if not Daemon(replan, partial(FastTrigger, clock=stage.clock)).run():
        sys.stderr.flush()
        raise SystemExit(3)


def mortal(stage: Stage) -> None:
    """A daemon that is killed by the deadly snapshot whenever it loads it."""
    die_reading()
    schedule(stage)


def call(stage: Stage) -> None:
    """Like cron: serves what is due every so often, until it is killed; now and then a person wants a run besides."""
    sources = list(stage.sources.values())
    for count in range(1_000_000):
        attendant = Attendant(stage.pipeline(), stage.settings, Caller(kind="run", worker=f"cron {this_process()}"))
        try:
            for _ in attendant.run(sources, is_due_only=count % 7 != 0):
                pass
        except DBAPIError:
            pass
        time.sleep(0.7)


if __name__ == "__main__":
    log.configure()
    {"schedule": schedule, "mortal": mortal, "call": call}[sys.argv[1]](Stage(**json.loads(sys.argv[2])))
