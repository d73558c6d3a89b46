"""The spans of a run for those who have OpenTelemetry, and nothing at all for those who have not."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import URL, Engine

from etl.attend import Attendant
from etl.config import Settings, SourceSettings, configured
from etl.load.configured import SourceEntry, record
from etl.load.ledger import Caller
from etl.pipeline import Pipeline
from etl.telemetry import PATIENCE, export, span
from tests.cli.conftest import named
from tests.extract.gateway import Act, Gateway, ok, reply
from tests.extract.sources import QUICK
from tests.processes import environment, etl

CATALOG = b'{"data": [{"id": "openai/m1", "pricing": {"prompt": "0.000001"}}]}'

KEY = "sk-bf-planted-9e21aa"


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    """Where the spans of this process go: it can be said only once."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    exporter.clear()
    yield exporter
    exporter.clear()


def _run(engine: Engine, *acts: Act) -> None:
    """One run of a Bifrost gateway for each act."""
    with Gateway(*acts) as gateway:
        settings = Settings(sources={"bifrost": SourceSettings(url=gateway.url)})
        source = configured(settings, {"BIFROST_API_KEY": KEY})["bifrost"]
        pipeline = Pipeline(engine, lambda: datetime.now(UTC), limits=QUICK)
        entry = SourceEntry(source="bifrost", kind="bifrost", enabled=True, max_age=timedelta(1), schedule="7 * * * *")
        with engine.begin() as connection:
            record(connection, [entry], [], [], now=datetime.now(UTC))
        for _ in acts:
            list(Attendant(pipeline, settings, Caller(kind="run", worker="tests")).run([source]))


def _tree(spans: tuple[ReadableSpan, ...], under: ReadableSpan | None = None) -> dict[str, Any]:
    """The names of the spans, each with those that it holds."""
    here = under.context.span_id if under else None
    return {each.name: _tree(spans, each) for each in spans if (each.parent.span_id if each.parent else None) == here}


def test_a_run_holds_its_walk_with_its_pages_its_landing_and_its_load(
    engine: Engine, spans: InMemorySpanExporter
) -> None:
    _run(engine, ok(CATALOG))
    done = spans.get_finished_spans()
    assert _tree(done) == {"etl.run": {"etl.walk": {"etl.page": {}}, "etl.land": {}, "etl.load": {}}}
    facts = {each.name: dict(each.attributes or {}) for each in done}
    run = facts["etl.run"]
    assert (run["source"], run["outcome"], run["bytes"]) == ("bifrost", "loaded", len(CATALOG))
    assert run["snapshot"] == facts["etl.load"]["snapshot"] == facts["etl.land"]["snapshot"]
    assert run["run"]
    assert facts["etl.page"]["status"] == 200
    assert {each.status.status_code.name for each in done} == {"UNSET"}


def test_a_walk_that_fails_is_a_failed_span_with_its_reason_and_no_secret(
    engine: Engine, spans: InMemorySpanExporter
) -> None:
    _run(engine, reply(403, f'{{"error": {{"message": "{KEY} is no key"}}}}'.encode()))
    done = spans.get_finished_spans()
    failed = {each.name: each.status.description for each in done if each.status.status_code.name == "ERROR"}
    assert set(failed) == {"etl.run", "etl.walk", "etl.page"}
    assert all("HTTP 403" in str(reason) for reason in failed.values())
    assert KEY not in "".join(each.to_json() for each in done)
    assert not any(each.events for each in done)


def test_sources_side_by_side_are_children_of_what_asked_for_them(engine: Engine, spans: InMemorySpanExporter) -> None:
    with span("round"):
        _run(engine, ok(CATALOG))
    assert set(_tree(spans.get_finished_spans())) == {"round"}


def test_without_the_library_nothing_is_needed(warehouse_url: URL, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['opentelemetry'] = None\n")
    with Gateway(ok(CATALOG)) as gateway:
        values = environment(tmp_path, DATABASE_URL=named(warehouse_url), ETL_BIFROST_URL=gateway.url)
        values |= {"PYTHONPATH": f"{tmp_path}:{values['PYTHONPATH']}", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://[::1]:1"}
        done = subprocess.run(
            [sys.executable, "-m", "etl", "run", "bifrost"],
            cwd=tmp_path,
            env=values,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "spans go nowhere: install llm-price-warehouse[otel]" in done.stderr


def test_nobody_is_asked_for_a_collector_that_is_not_named() -> None:
    assert export({"OTEL_EXPORTER_OTLP_ENDPOINT": ""})


class _Collector(BaseHTTPRequestHandler):
    """Takes what it is sent."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.paths.append(self.path)  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.slow
def test_spans_are_sent_to_the_collector_that_is_named(warehouse_url: URL, tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    collector = HTTPServer(("127.0.0.1", 0), _Collector)
    collector.paths = []  # type: ignore[attr-defined]
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    with Gateway(ok(CATALOG)) as gateway, closing(collector.socket):
        endpoint = f"http://127.0.0.1:{collector.server_port}"
        urls = {"ETL_BIFROST_URL": gateway.url, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
        done = etl(tmp_path, "run", "bifrost", DATABASE_URL=named(warehouse_url), **urls)
        collector.shutdown()
    asked = collector.paths  # type: ignore[attr-defined]
    assert (done.status, set(asked)) == (0, {"/v1/traces"})


@pytest.mark.slow
def test_a_dead_collector_neither_fails_nor_delays_a_run(warehouse_url: URL, tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    seconds = []
    with Gateway(ok(CATALOG)) as gateway, socket.create_server(("127.0.0.1", 0)) as silent:
        values = {"DATABASE_URL": named(warehouse_url), "ETL_BIFROST_URL": gateway.url}
        collector = f"http://127.0.0.1:{silent.getsockname()[1]}"
        for more in ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": collector}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://[::1]:1"}):
            begun = time.monotonic()
            done = etl(tmp_path, "run", "bifrost", **values, **more)
            seconds.append(time.monotonic() - begun)
            assert done.status == 0, done.err
            assert done.complaints == []
    assert max(seconds[1:]) < seconds[0] + PATIENCE + 1.5
