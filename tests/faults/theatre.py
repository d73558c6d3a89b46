"""Plays every fault of the table against one warehouse, each at a source of its own: healthy, ill, healthy again."""

import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Engine, text

from etl.config import Settings, SourceSettings, configured
from etl.pipeline import Pipeline
from etl.result import Result
from etl.sources.registry import kinds
from tests.extract.gateway import Act, Asked, Gateway
from tests.extract.sources import QUICK
from tests.faults.catalogs import AFTER, BEFORE, healthy
from tests.faults.table import LARGEST_PAGE, MOST_PAGES, Fault

DAYS = tuple(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(3))

KEYS = {"MAJESTIX_API_KEY": "inf_of_the_tests", "PHASEO_API_KEY": "phaseo_of_the_tests"}

AT_ONCE = 16
"""Sources that are pulled side by side: fewer than the connections of a small server."""

VIEWS = ("price_history", "price_current", "price_change", "model_history", "endpoint_history", "catalog_change")

RELATIONS = ("model", "endpoint", "price", "provider", "author")


def name_of(fault: Fault) -> str:
    """The source at which a fault is played; it serves as the first step of its url too."""
    return re.sub(r"\W+", "-", f"{fault.kind} {fault.name}")


def control_of(kind: str) -> str:
    """The source of a kind that only sees the healthy snapshots."""
    return f"{kind}-control"


@dataclass(frozen=True, kw_only=True)
class Played:
    """What each run gave, and what the warehouse held, all by source.

    ``before`` and ``after`` the fault: every version. ``logs``: the rows of ``mart.snapshot`` in order of time, after
    the fault and in the end. ``told``: what the mart shows in the end.
    """

    healthy: Mapping[str, Result]
    ill: Mapping[str, Result]
    recovered: Mapping[str, Result]
    before: Mapping[str, list[str]]
    after: Mapping[str, list[str]]
    logs: tuple[Mapping[str, list[Any]], Mapping[str, list[Any]]]
    told: Mapping[str, list[str]]
    landed: Mapping[str, list[str]]


@dataclass
class _Scene:
    """The gateway's behaviour towards each source, and the time. The first step of a path names the source."""

    acts: dict[str, Act] = field(default_factory=dict)
    now: datetime = DAYS[0]

    def __call__(self, connection: socket.socket, asked: Asked) -> None:
        self.acts[asked.target.split("/")[1]](connection, asked)

    def clock(self) -> datetime:
        return self.now


def play(engine: Engine, faults: Sequence[Fault]) -> Played:
    """Some faults of the table, each once."""
    ill = {name_of(fault): fault.kind for fault in faults}
    every = ill | {control_of(kind): kind for kind in kinds()}
    scene = _Scene()
    pull = partial(_pull, Pipeline(engine, scene.clock, limits=QUICK))
    with Gateway(scene) as gateway:
        scene.acts = {name: healthy(kind, BEFORE) for name, kind in every.items()}
        first = pull(gateway.url, every, faults, is_hasty=False)
        before = _versions(engine)
        scene.now, scene.acts = DAYS[1], {name_of(fault): fault.act for fault in faults}
        second = pull(gateway.url, ill, faults, is_hasty=True)
        after, logs = _versions(engine), _by_source(engine, LOGS)
        scene.now, scene.acts = DAYS[2], {name: healthy(kind, AFTER) for name, kind in every.items()}
        third = pull(gateway.url, every, faults, is_hasty=False)
    return Played(
        healthy=first,
        ill=second,
        recovered=third,
        before=before,
        after=after,
        logs=(logs, _by_source(engine, LOGS)),
        told=_told(engine),
        landed=_by_source(engine, LANDED),
    )


def _pull(
    pipeline: Pipeline, url: str, names: Mapping[str, str], faults: Sequence[Fault], *, is_hasty: bool
) -> dict[str, Result]:
    """One snapshot of each source of these names and kinds, as many at once as the server bears."""
    entries = {name: SourceSettings(kind=kind, url=f"{url}/{name}") for name, kind in names.items()}
    for fault in faults:
        entry = entries[name_of(fault)]
        entry.page_size = fault.page_size
        entry.timeout_seconds = fault.timeout_seconds if is_hasty else 60
    settings = Settings(sources=entries, max_page_bytes=LARGEST_PAGE, max_pages=MOST_PAGES)
    sources = [source for name, source in configured(settings, KEYS).items() if name in names]
    batches = (sources[start : start + AT_ONCE] for start in range(0, len(sources), AT_ONCE))
    return {result.source: result for batch in batches for result in pipeline.run(batch, settings)}


LOGS = """
SELECT s.source, jsonb_build_object('status', s.status, 'observed_at', s.observed_at, 'said', concat_ws(' ', s.reason,
       (SELECT string_agg(concat(q.reason, q.record), '; ') FROM core.quarantine q
         WHERE q.snapshot_id = s.snapshot_id)))
  FROM mart.snapshot s ORDER BY s.observed_at
"""
"""The log of snapshots, with the reasons for what was quarantined."""

LANDED = """
SELECT s.source, concat_ws(' ', s.failure, p.url, p.headers, p.status)
  FROM raw.snapshot s LEFT JOIN raw.page p USING (snapshot_id)
"""


def _by_source(engine: Engine, sql: str) -> dict[str, list[Any]]:
    """The second column of a SELECT, by the first one."""
    found: dict[str, list[Any]] = {}
    with engine.connect() as connection:
        for source, value in connection.execute(text(sql)):
            found.setdefault(source, []).append(value)
    return found


def _versions(engine: Engine) -> dict[str, list[str]]:
    """Every version of every relation."""
    selects = (f"SELECT source, '{name} ' || t::text AS row FROM core.{name} t" for name in RELATIONS)
    return _by_source(engine, " UNION ALL ".join(selects) + " ORDER BY row")


def _told(engine: Engine) -> dict[str, list[str]]:
    """What the mart shows, without the names of the sources and without what depends on the last sighting."""
    selects = (
        f"SELECT source, '{view} ' || (to_jsonb(v) - 'not_before')::text AS row FROM mart.{view} v" for view in VIEWS
    )
    rows = _by_source(engine, " UNION ALL ".join(selects))
    return {source: sorted(row.replace(source, "the source") for row in found) for source, found in rows.items()}
