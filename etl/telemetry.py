"""Spans of OpenTelemetry, for those who have it installed; without it nothing happens and nothing is needed.

``etl.run`` holds ``etl.walk`` (with an ``etl.page`` for each request), ``etl.land`` and ``etl.load``.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from typing import Any, Self

from etl.concealment import conceal, on_one_line, redacted

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

PATIENCE = 2.0
"""Seconds that the end of a command waits for a collector."""

SERVICE = "llm-price-warehouse"


class Span:
    """One piece of work that is going on; without OpenTelemetry it keeps nothing."""

    def __init__(self, span: Any = None) -> None:
        self._span = span

    def tell(self, **facts: object) -> Self:
        """Add facts, the unknown ones (None) left out."""
        if self._span is not None:
            for name, value in facts.items():
                if value is not None:
                    self._span.set_attribute(name, value if isinstance(value, bool | int | float) else _said(value))
        return self

    def fail(self, reason: object) -> None:
        """Say that the work failed and why; secrets are left out."""
        if self._span is not None:
            from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415  an extra

            self._span.set_status(Status(StatusCode.ERROR, _said(reason)))


@contextmanager
def span(name: str, **facts: object) -> Iterator[Span]:
    """The work of the block as a span, child of the one that is going on; an exception makes it a failed one."""
    tracer = _tracer()
    if tracer is None:
        yield Span()
        return
    # What the library records of an exception by itself is its text and its stack, secrets included.
    with tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False) as begun:
        work = Span(begun).tell(**facts)
        try:
            yield work
        except BaseException as error:
            work.tell(**{"error.type": type(error).__name__}).fail(error)
            raise


def export(environ: Mapping[str, str]) -> bool:
    """Send the spans to the collector that the environment names; false when one is named and the extra is missing."""
    if not any(environ.get(name) for name in ENDPOINTS):
        return True
    conceal(pair.partition("=")[2] for pair in environ.get("OTEL_EXPORTER_OTLP_HEADERS", "").split(","))
    try:
        from opentelemetry import trace  # noqa: PLC0415
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        return False
    named = {} if environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: SERVICE}
    provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=PATIENCE)))
    trace.set_tracer_provider(provider)
    return True


def flush() -> None:
    """Send what is not sent yet, for no longer than ``PATIENCE``; a collector that is dead loses it."""
    if _tracer() is None:
        return
    from opentelemetry import trace  # noqa: PLC0415

    shutdown = getattr(trace.get_tracer_provider(), "shutdown", None)
    if shutdown is not None:
        sending = threading.Thread(target=shutdown, daemon=True)
        sending.start()
        sending.join(PATIENCE)


@cache
def _tracer() -> Any:
    """The tracer, whose spans cost nothing until somebody exports them; null without the library."""
    if find_spec("opentelemetry") is None:
        return None
    from opentelemetry import trace  # noqa: PLC0415

    return trace.get_tracer(SERVICE)


def _said(value: object) -> str:
    return on_one_line(redacted(str(value)))
