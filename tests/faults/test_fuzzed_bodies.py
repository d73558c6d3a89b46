"""Bodies spoilt by chance, of every kind, on the real path: landed, then understood or failed, never stuck."""

import os
import time
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import Engine, text

from etl.domain.snapshot import Origin, Page, Snapshot
from etl.load.landing import pages_of
from etl.pipeline import Pipeline
from etl.sources.registry import kinds
from tests.faults.mutation import BODIES, mutated
from tests.load.believing import Ticking
from tests.load.worlds import START

SETTLED = {"loaded", "unchanged", "held", "failed"}
SAMPLE = 5
MANY = int(os.environ.get("ETL_TEST_BODIES", "40"))
SLOWEST = 20.0
"""Seconds that no body takes, each of them small."""


def fuzz(engine: Engine, kind: str, seed: int, count: int) -> None:
    """Take so many spoilt bodies, now and then a good one between them, and see that none is in the way of another."""
    chance = Random(seed)  # noqa: S311  the same bodies each time
    pipeline, source = Pipeline(engine, Ticking()), kinds()[kind](f"fuzzed_{kind}")
    bodies: dict[int, bytes] = {}
    for number in range(count):
        is_good = number % 10 == 0
        body = chance.choice(BODIES[kind]) if is_good else mutated(kind, chance)
        origin = Origin.BACKFILL if is_good or chance.random() < 0.7 else Origin.RUN
        at = START + timedelta(hours=number if chance.random() < 0.9 else -number)
        page = Page(number=1, url="http://gateway/models", status=200, body=body, fetched_at=at)
        snapshot = Snapshot(source=source.name, kind=kind, observed_at=at, origin=origin, pages=(page,))
        began = time.monotonic()
        result = pipeline.take(source, snapshot)
        assert result.snapshot_id is not None, (kind, seed, number)
        assert result.status in SETTLED, (kind, seed, number, result)
        assert "please report this" not in str(result.error), (kind, seed, number, result.error)
        assert time.monotonic() - began < SLOWEST, (kind, seed, number)
        bodies[result.snapshot_id] = body
    pipeline.settle()
    _assert_whole(engine, pipeline, kind, bodies)


def _assert_whole(engine: Engine, pipeline: Pipeline, kind: str, bodies: dict[int, bytes]) -> None:
    with engine.connect() as connection:
        waiting = connection.scalar(text("SELECT count(*) FROM core.snapshot WHERE status = 'landed'"))
        unlinked = "SELECT count(*) FROM mart.model_current m LEFT JOIN mart.model_link l USING (source, model_id)"
        missing = connection.scalar(text(f"{unlinked} WHERE l.source IS NULL"))
        for snapshot_id, body in bodies.items():
            assert [page.body for page in pages_of(connection, snapshot_id)] == [body]
    assert (waiting, missing) == (0, 0)
    verdict = pipeline.verify(kinds()[kind](f"fuzzed_{kind}"), is_applied=False, progress=lambda *_: None)
    assert verdict.agrees, verdict


@pytest.mark.parametrize("kind", BODIES)
def test_some_spoilt_bodies_block_nothing(engine: Engine, kind: str) -> None:
    fuzz(engine, kind, seed=1, count=SAMPLE)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize("kind", BODIES)
def test_many_spoilt_bodies_block_nothing(engine: Engine, kind: str, seed: int) -> None:
    fuzz(engine, kind, seed=seed, count=MANY)
