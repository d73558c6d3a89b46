"""What Prometheus is told: the runs of this process as they end, and the health of the sources at each scrape."""

import importlib.metadata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from etl.database import migrations
from etl.patience import Patient
from etl.result import Result

Health = Callable[[], Iterable[Mapping[str, Any]]]
"""The rows of ``etl.load.health.sources``, asked anew at each scrape; raises when the database does not answer."""

PATIENCE_SECONDS = 3.0
"""How long a scrape waits for the database; Prometheus itself gives up after ten seconds."""

BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

STATUSES = ("fresh", "stale", "failing", "never", "disabled")

GAUGES = {
    "etl_source_age_seconds": ("age", "Seconds since the last complete live snapshot, by the database's clock."),
    "etl_source_max_age_seconds": ("max_age_seconds", "Age in seconds from which on the source counts as stale."),
    "etl_source_last_attempt_timestamp_seconds": (
        "last_attempt_at",
        "Unix time of the last live attempt, whatever became of it.",
    ),
    "etl_source_last_success_timestamp_seconds": (
        "last_complete_at",
        "Unix time of the last complete live snapshot that counts.",
    ),
    "etl_source_last_change_timestamp_seconds": (
        "last_change_at",
        "Unix time of the last snapshot that began or ended a version.",
    ),
    "etl_source_last_slot_timestamp_seconds": (
        "last_slot_at",
        "Unix time of the newest due time in the ledger, within the last day.",
    ),
    "etl_source_consecutive_failures": (
        "consecutive_failures",
        "Live attempts that failed since the last that did not.",
    ),
    "etl_source_held_snapshots": ("held_snapshots", "Snapshots that wait for a person's decision."),
    "etl_source_set_aside_snapshots": (
        "set_aside_snapshots",
        "Snapshots that were set aside because two loads of them were cut off.",
    ),
    "etl_source_quarantined_records": (
        "quarantined_records",
        "Records of the last snapshot that counts that could not be read.",
    ),
    "etl_source_unmapped_fields": (
        "unmapped_fields",
        "Price fields of the last snapshot that counts that map to no meter.",
    ),
    "etl_source_missed_slots": ("missed_slots", "Due times of the last day that nobody served."),
}
"""What is told of each source: the column that it is read from, and what it means. Null columns are left out."""

_STATUS = ("etl_source_status", "1 for the status that the source has, 0 for the others.")
_UP = ("etl_database_up", "1 when the database answered this scrape, else 0.")

UNCOUNTED = ("taken", "not_due")
"""What a run ends with that never began here."""


class Metrics:
    """Everything that is exposed, in a registry of its own. Labels hold names of sources and words of ours only.

    ``health`` is asked at each scrape; while it raises or takes longer than three seconds, ``etl_database_up`` is 0
    and nothing is said of the sources, rather than what was true some time ago.
    """

    def __init__(self, health: Health) -> None:
        self.registry = CollectorRegistry()
        self._runs = Counter(
            "etl_runs", "Runs of this process that ended.", ["source", "outcome"], registry=self.registry
        )
        self._seconds = Histogram(
            "etl_run_duration_seconds",
            "How long the runs of this process took.",
            ["source"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._bytes = self._counter("etl_received_bytes", "Bytes that gateways sent, after decompression.")
        self._opened = self._counter("etl_versions_opened", "Versions of history that runs of this process began.")
        self._closed = self._counter("etl_versions_closed", "Versions of history that runs of this process ended.")
        build = Gauge("etl_build_info", "Always 1; the labels tell.", ["version", "schema"], registry=self.registry)
        build.labels(importlib.metadata.version("llm-price-warehouse"), str(migrations.head())).set(1)
        self.registry.register(SourceCollector(Patient(lambda: list(health()), PATIENCE_SECONDS)))
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)

    def observe(self, result: Result, seconds: float) -> None:
        """Count a run that ended after so many seconds; one that never began here counts nothing."""
        if result.status in UNCOUNTED:
            return
        self._runs.labels(result.source, result.status).inc()
        self._seconds.labels(result.source).observe(seconds)
        self._bytes.labels(result.source).inc(result.bytes)
        self._opened.labels(result.source).inc(result.opened)
        self._closed.labels(result.source).inc(result.closed)

    def _counter(self, name: str, meaning: str) -> Counter:
        return Counter(name, meaning, ["source"], registry=self.registry)


class SourceCollector(Collector):
    """The health of the sources as metrics, asked when it is scraped."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The metrics without their values, so that registering asks no database."""
        yield GaugeMetricFamily(*_UP)
        yield from _families([])

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The metrics; of a database that does not answer, that alone."""
        families: list[GaugeMetricFamily] = []
        try:
            families.extend(_families(list(self._health())))
        except Exception as error:  # noqa: BLE001  whatever is wrong with the database, the scrape is answered
            structlog.get_logger().debug("no health for a scrape", because=f"{type(error).__name__}: {error}")
        yield GaugeMetricFamily(*_UP, value=bool(families))
        yield from families


def _families(rows: Sequence[Mapping[str, Any]]) -> Iterator[GaugeMetricFamily]:
    for name, (column, meaning) in GAUGES.items():
        yield _gauge(name, meaning, column, rows)
    yield _state(rows)


def _gauge(name: str, meaning: str, column: str, rows: Iterable[Mapping[str, Any]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, meaning, labels=["source"])
    for row in rows:
        if row[column] is not None:
            family.add_metric([row["source"]], _number(row[column]))
    return family


def _state(rows: Iterable[Mapping[str, Any]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(*_STATUS, labels=["source", "status"])
    for row in rows:
        for status in STATUSES:
            family.add_metric([row["source"], status], float(row["status"] == status))
    return family


def _number(value: Any) -> float:
    """In base units: seconds, and seconds since 1970."""
    match value:
        case datetime():
            return value.timestamp()
        case timedelta():
            return value.total_seconds()
        case _:
            return float(value)
