"""Real recorded catalogs give exactly the history that an independent reading gives."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from etl.backfill import snapshots
from etl.pipeline import Pipeline
from etl.result import Result
from etl.sources.registry import kinds
from tests.dump import dump
from tests.oracle import fold
from tests.recorded import CATALOGS, needs_recordings

KINDS = ("bifrost", "helicone_gateway", "helicone_registry", "majestix", "phaseo")

VIEWS = {"prices": "price_history", "models": "model_history", "endpoints": "endpoint_history"}

pytestmark = [pytest.mark.slow, needs_recordings, pytest.mark.parametrize("kind", KINDS)]


def _backfill(kind: str, engine: Engine) -> list[Result]:
    source = kinds()[kind]()
    found = snapshots(kind, kind, [CATALOGS / kind])
    return list(Pipeline(engine, lambda: datetime.now(UTC)).backfill(source, found))


def _rows(connection: Connection, view: str, columns: list[str]) -> list[dict[str, Any]]:
    listed = ", ".join(columns)
    return [dict(row) for row in connection.execute(text(f"SELECT {listed} FROM mart.{view}")).mappings()]


def _sorted(rows: list[dict[str, Any]]) -> list[list[tuple[str, Any]]]:
    return sorted((sorted(row.items()) for row in rows), key=str)


def test_the_history_is_that_of_an_independent_reading(kind: str, engine: Engine) -> None:
    _backfill(kind, engine)
    expected = fold.history(kind, CATALOGS / kind)
    for relation, view in VIEWS.items():
        if not expected[relation]:
            with engine.connect() as connection:
                assert connection.scalar(text(f"SELECT count(*) FROM mart.{view}")) == 0
            continue
        columns = list(expected[relation][0])
        with engine.connect() as connection:
            found = _rows(connection, view, columns)
        assert _sorted(fold.coalesced(relation, found)) == _sorted(expected[relation]), relation


_QUARANTINED = text("SELECT q.reason, s.observed_at FROM core.quarantine q JOIN core.snapshot s USING (snapshot_id)")


def test_nothing_is_quarantined_but_the_known_duplicates_and_nothing_is_unmapped(kind: str, engine: Engine) -> None:
    results = _backfill(kind, engine)
    assert {result.status for result in results} <= {"loaded", "unchanged"}
    with engine.connect() as connection:
        quarantined = connection.execute(_QUARANTINED).all()
        assert connection.scalar(text("SELECT count(*) FROM core.unmapped_field")) == 0
    assert len(quarantined) == (3 if kind == "helicone_registry" else 0)
    assert all("gpt-4o" in row.reason and row.observed_at < datetime(2025, 9, 3, tzinfo=UTC) for row in quarantined)


def test_a_second_identical_backfill_changes_no_row(kind: str, engine: Engine) -> None:
    _backfill(kind, engine)
    before = dump(engine)
    again = _backfill(kind, engine)
    assert dump(engine) == before
    assert {result.status for result in again} <= {"loaded", "unchanged"}


def test_any_order_of_arrival_gives_the_same_history_and_it_verifies(kind: str, engine: Engine) -> None:
    _backfill(kind, engine)
    in_order = _history(engine)
    source = kinds()[kind]("shuffled")
    found = list(snapshots("shuffled", kind, [CATALOGS / kind]))
    random.Random(kind).shuffle(found)  # noqa: S311  any order will do
    pipeline = Pipeline(engine, lambda: datetime.now(UTC))
    for snapshot in found:
        pipeline.take(source, snapshot)
    shuffled = {
        table: [row for row in rows if row.startswith("(shuffled,")] for table, rows in _history(engine).items()
    }
    expected = {table: [row.replace(f"({kind},", "(shuffled,", 1) for row in rows] for table, rows in in_order.items()}
    assert shuffled == expected
    assert pipeline.verify(source, is_applied=False, progress=lambda *_: None).agrees


def _history(engine: Engine) -> dict[str, list[str]]:
    """What is believed, without the numbers of versions and the second clock."""
    with engine.connect() as connection:
        return {
            view: sorted(
                connection.scalars(
                    text(f"SELECT row(h.source, to_jsonb(h) - 'source' - 'known_from')::text FROM mart.{view} h")
                )
            )
            for view in VIEWS.values()
        }
