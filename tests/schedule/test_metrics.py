"""What Prometheus is told, scraped in its own format: counts of this process, and the health that the database has."""

import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, make_url, text

from etl.database import migrations
from etl.load import health
from etl.result import Result
from etl.schedule.metrics import PATIENCE_SECONDS, STATUSES, Metrics
from etl.schedule.readiness import asking_engine
from tests.mart.test_attempts import failed_run
from tests.mart.test_source_health import FEW, FULL, S, ago, configure, shown, take

Scraped = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(metrics: Metrics) -> Scraped:
    """Every sample by name and labels, as a server of Prometheus reads it."""
    families = text_string_to_metric_families(generate_latest(metrics.registry).decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def of(scraped: Scraped, name: str, **labels: str) -> float | None:
    return scraped.get((name, tuple(sorted(labels.items()))))


def nothing() -> Iterable[Any]:
    return []


def ended(status: str, **facts: Any) -> Result:
    return Result(source="s", status=status, **facts)


def test_runs_are_counted_by_source_and_outcome() -> None:
    metrics = Metrics(nothing)
    metrics.observe(ended("loaded", bytes=1000, opened=7, closed=2), 0.3)
    metrics.observe(ended("loaded", bytes=500, opened=1), 40)
    metrics.observe(ended("failed", error="s: no answer"), 120.5)
    seen = scrape(metrics)
    assert of(seen, "etl_runs_total", source="s", outcome="loaded") == 2
    assert of(seen, "etl_runs_total", source="s", outcome="failed") == 1
    assert of(seen, "etl_received_bytes_total", source="s") == 1500
    assert of(seen, "etl_versions_opened_total", source="s") == 8
    assert of(seen, "etl_versions_closed_total", source="s") == 2
    assert of(seen, "etl_run_duration_seconds_count", source="s") == 3
    assert of(seen, "etl_run_duration_seconds_sum", source="s") == pytest.approx(160.8)
    assert of(seen, "etl_run_duration_seconds_bucket", source="s", le="0.5") == 1
    assert of(seen, "etl_run_duration_seconds_bucket", source="s", le="300.0") == 3


@pytest.mark.parametrize("status", ["taken", "not_due"])
def test_what_never_began_here_is_no_run_of_this_process(status: str) -> None:
    metrics = Metrics(nothing)
    metrics.observe(ended(status), 0.01)
    assert [name for name, _ in scrape(metrics) if name.startswith("etl_runs")] == []


def test_two_of_them_do_not_share_their_counts() -> None:
    first, second = Metrics(nothing), Metrics(nothing)
    first.observe(ended("loaded"), 1)
    assert of(scrape(second), "etl_runs_total", source="s", outcome="loaded") is None


def test_build_process_and_platform_are_told() -> None:
    seen = scrape(Metrics(nothing))
    [labels] = [dict(labels) for name, labels in seen if name == "etl_build_info"]
    assert labels["schema"] == migrations.head()
    assert labels["version"]
    assert {"process_start_time_seconds", "python_info"} <= {name for name, _ in seen}


@pytest.fixture
def metrics(engine: Engine) -> Metrics:
    configure(engine, S)
    asking = asking_engine(engine.url)
    return Metrics(lambda: health.sources(asking))


def test_the_health_of_a_source_is_asked_at_each_scrape(metrics: Metrics, engine: Engine) -> None:
    seen = scrape(metrics)
    assert of(seen, "etl_source_status", source="s", status="never") == 1
    assert of(seen, "etl_source_age_seconds", source="s") is None
    take(engine, shown(ago(hours=1), FULL))
    take(engine, shown(ago(minutes=1), FEW))
    seen = scrape(metrics)
    assert of(seen, "etl_database_up") == 1
    assert {status: of(seen, "etl_source_status", source="s", status=status) for status in STATUSES} == {
        **dict.fromkeys(STATUSES, 0),
        "fresh": 1,
    }
    assert of(seen, "etl_source_age_seconds", source="s") == pytest.approx(3600, abs=1800)
    assert of(seen, "etl_source_max_age_seconds", source="s") == 3 * 3600
    assert of(seen, "etl_source_last_attempt_timestamp_seconds", source="s") == ago(minutes=1).timestamp()
    assert of(seen, "etl_source_last_success_timestamp_seconds", source="s") == ago(hours=1).timestamp()
    assert of(seen, "etl_source_last_change_timestamp_seconds", source="s") == ago(hours=1).timestamp()
    assert of(seen, "etl_source_held_snapshots", source="s") == 1


def test_failures_and_missed_slots_are_told(metrics: Metrics, engine: Engine) -> None:
    failed_run(engine, ago(hours=30))
    with engine.begin() as connection:
        connection.execute(text("UPDATE core.source SET scheduled_from = :at"), {"at": ago(hours=30)})
    failed_run(engine, ago(minutes=1))
    seen = scrape(metrics)
    assert of(seen, "etl_source_consecutive_failures", source="s") == 2
    assert 21 <= (of(seen, "etl_source_missed_slots", source="s") or 0) <= 24
    slot = of(seen, "etl_source_last_slot_timestamp_seconds", source="s") or 0
    assert ago(minutes=62).timestamp() < slot < ago(minutes=0).timestamp()


def test_only_what_is_enabled_or_ever_ran_is_told(metrics: Metrics, engine: Engine) -> None:
    never = [replace(S, source=name, enabled=False) for name in "tu"]
    configure(engine, S, *never)
    take(engine, shown(ago(hours=1), FULL, source="t"))
    sources = {dict(labels)["source"] for name, labels in scrape(metrics) if name == "etl_source_status"}
    assert sources == {"s", "t"}


def failing() -> Iterable[Any]:
    raise ConnectionError("gone")


def hanging() -> Iterable[Any]:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = make_url("postgresql+psycopg://etl@127.0.0.1/etl").set(port=silent.getsockname()[1])
        return health.sources(asking_engine(url))


@pytest.mark.parametrize("ill", [failing, hanging])
def test_without_a_database_it_still_answers_in_time_with_what_it_counted(ill: Callable[[], Iterable[Any]]) -> None:
    metrics = Metrics(ill)
    metrics.observe(ended("loaded"), 1)
    began = time.monotonic()
    seen = scrape(metrics)
    assert time.monotonic() - began < PATIENCE_SECONDS + 1
    assert of(seen, "etl_database_up") == 0
    assert of(seen, "etl_runs_total", source="s", outcome="loaded") == 1
    assert [name for name, _ in seen if name.startswith("etl_source_")] == []


def test_building_it_asks_no_database() -> None:
    asked: list[bool] = []
    Metrics(lambda: asked.append(True) or [])  # type: ignore[func-returns-value]
    assert asked == []


def test_a_health_that_never_answers_costs_one_thread_however_often_it_is_scraped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("etl.schedule.metrics.PATIENCE_SECONDS", 0.05)
    calls: list[float] = []

    def never() -> Iterable[Any]:
        calls.append(time.monotonic())
        time.sleep(1)
        return []

    metrics = Metrics(never)
    for _ in range(4):
        assert of(scrape(metrics), "etl_database_up") == 0
    assert len(calls) == 1
