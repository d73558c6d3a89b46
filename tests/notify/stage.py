"""A source, a clock that is set by hand, and a receiver on loopback: what the tests of alerts play on."""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Row, text

from etl.config import AlertSettings, PriceWatch, Receiver, Settings
from etl.domain.snapshot import Origin, Page, Snapshot
from etl.errors import FetchError
from etl.load.configured import SourceEntry, record
from etl.notify.notifier import Notifier
from etl.pipeline import Pipeline
from etl.result import Result
from etl.sources.registry import kinds
from tests.extract.gateway import Gateway

NOW = datetime.now(UTC) - timedelta(days=30)
"""Long enough ago that a clock which is set forward by some days still tells no moment to come: none makes fresh."""

MAX_AGE = timedelta(hours=3)

Catalog = Mapping[str, Mapping[str, str]]
"""Prices by field, by model id."""

FULL: Catalog = {f"openai/m{number}": {"prompt": "0.0000025"} for number in range(10)}


@dataclass
class Stage:
    """A warehouse with source ``s``, and those who are told of it; ``now`` is set by whoever plays."""

    engine: Engine
    receivers: Sequence[Receiver] = ()
    watches: Sequence[PriceWatch] = ()
    ping_url: str | None = None
    now: datetime = field(default=NOW)

    def configure(self, *, enabled: bool = True, name: str = "s", at: datetime = NOW) -> None:
        entry = SourceEntry(source=name, kind="bifrost", enabled=enabled, max_age=MAX_AGE, schedule="7 * * * *")
        with self.engine.begin() as connection:
            record(connection, [entry], [], [], now=at)

    def show(self, catalog: Catalog, *, at: datetime | None = None, origin: Origin = Origin.RUN) -> Result:
        """Take a snapshot that shows a catalog."""
        rows = [{"id": model, "pricing": prices} for model, prices in catalog.items()]
        moment = at or self.now
        page = Page(number=1, url="page", status=200, body=json.dumps({"data": rows}).encode(), fetched_at=moment)
        return self._take((page,), moment, origin, None)

    def fail(self, times: int = 1) -> None:
        """Fail to get a snapshot, so many times, a minute apart."""
        for _ in range(times):
            self.later(minutes=1)
            self._take((), self.now, Origin.RUN, FetchError("s: no answer"))

    def _take(self, pages: tuple[Page, ...], at: datetime, origin: Origin, failure: FetchError | None) -> Result:
        snapshot = Snapshot(source="s", kind="bifrost", observed_at=at, origin=origin, pages=pages)
        pipeline = Pipeline(self.engine, lambda: self.now)
        result = pipeline.take(kinds()["bifrost"]("s"), snapshot, failure)
        pipeline.settle()
        return result

    def later(self, **age: float) -> None:
        self.now += timedelta(**age)

    @property
    def notifier(self) -> Notifier:
        alerts = AlertSettings(price_changes=tuple(self.watches))
        return Notifier(self.engine, Settings(alerts=alerts), self.receivers, self.ping_url, lambda: self.now)

    def tell(self) -> None:
        self.notifier.tell()

    def rows(self, sql: str) -> Sequence[Row[Any]]:
        with self.engine.connect() as connection:
            return connection.execute(text(sql)).all()

    def open(self) -> set[str]:
        """The problems that are open."""
        return {row.problem for row in self.rows("SELECT problem FROM mart.alert WHERE resolved_at IS NULL")}


def said(gateway: Gateway) -> list[dict[str, Any]]:
    """What a receiver was told, in order."""
    return [json.loads(asked.body) for asked in gateway.asked]


def kinds_said(gateway: Gateway) -> list[tuple[str, str]]:
    """Of what it was told only what happened to which problem."""
    return [(message["kind"], message["problem"]) for message in said(gateway)]


def hook(gateway: Gateway, name: str = "desk", path: str = "/hook/T0P-SECRET") -> Receiver:
    """A receiver at a gateway, at a path that nobody may learn."""
    return Receiver(name, gateway.url + path, "json")


def at_once(stage: Stage, many: int = 6) -> None:
    """So many who tell at the same time, as daemons do that do not know of each other."""
    together = threading.Barrier(many)

    def tell(each: Stage) -> None:
        together.wait()
        each.tell()

    threads = [threading.Thread(target=tell, args=(replace(stage),)) for _ in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
