"""A gateway, a clock that is set by hand, and attendants to one source: what the tests of the ledger play with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

from etl.attend import Attendant
from etl.config import ConfiguredSource, Settings, SourceSettings, configured
from etl.load.configured import SourceEntry, record
from etl.load.ledger import Caller
from etl.pipeline import Pipeline
from tests.extract.sources import QUICK

NAME = "here"
NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
CATALOG = b'{"data": [{"id": "openai/gpt-4o", "pricing": {"prompt": "0.0000025"}}]}'


@dataclass
class HandClock:
    """The time is what it was set to."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


def settings(url: str, schedule: str = "7 * * * *", **more: Any) -> Settings:
    """One gateway of the kind bifrost, which wants no credential."""
    entry = SourceSettings.model_validate({"kind": "bifrost", "url": url, "schedule": schedule, "jitter": 0, **more})
    return Settings(sources={NAME: entry})


def source(configuration: Settings) -> ConfiguredSource:
    return configured(configuration, {})[NAME]


def configure(engine: Engine, schedule: str = "7 * * * *", *, now: datetime = NOON, enabled: bool = True) -> None:
    """Record the source as a command does before it runs it."""
    entry = SourceEntry(source=NAME, kind="bifrost", enabled=enabled, max_age=timedelta(hours=3), schedule=schedule)
    with engine.begin() as connection:
        record(connection, [entry], [], [], now=now)


def attendant(
    engine: Engine, clock: Callable[[], datetime], configuration: Settings, worker: str = "host:1"
) -> Attendant:
    caller = Caller(kind="schedule", worker=worker)
    return Attendant(Pipeline(engine, clock, limits=QUICK), configuration, caller)


def slots(engine: Engine) -> list[tuple[str, str, int | None]]:
    """Every slot in order of time: when (hour and minute), what became of it, by which run."""
    sql = "SELECT to_char(due_at, 'HH24:MI'), status, run_id FROM mart.slot ORDER BY due_at"
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def runs(engine: Engine) -> list[tuple[int, str | None, str | None]]:
    """Every run: its number, its slot, its outcome."""
    sql = "SELECT run_id, to_char(due_at, 'HH24:MI'), outcome FROM mart.run ORDER BY run_id"
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]
