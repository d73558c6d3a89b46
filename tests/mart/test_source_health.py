"""One row per source: whether it is pulled, how fresh it is, what fails, what was set aside."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from etl.domain.snapshot import Origin, Page, Snapshot
from etl.errors import AccessError, ContractError, FetchError, SourceError
from etl.load.configured import SourceEntry, record
from etl.pipeline import Pipeline
from etl.result import Result
from etl.sources.registry import kinds
from tests.load.believing import clock
from tests.load.worlds import World, body

FULL = World({f"openai/m{number}": ("A", {"prompt": "1"}) for number in range(10)})
FEW = World(dict(list(FULL.models.items())[:2]))
PARTIAL = replace(FULL, is_whole=False)
S = SourceEntry(source="s", kind="bifrost", enabled=True, max_age=timedelta(hours=3), schedule="7 * * * *")
NOW = datetime.now(UTC)


def ago(**age: float) -> datetime:
    return NOW - timedelta(**age)


def shown(at: datetime, world: World, origin: Origin = Origin.RUN, source: str = "s") -> Snapshot:
    page = Page(number=1, url="page", status=200, body=body(world), fetched_at=at)
    return Snapshot(source=source, kind="bifrost", observed_at=at, origin=origin, pages=(page,))


def take(engine: Engine, snapshot: Snapshot, failure: SourceError | None = None) -> Result:
    return Pipeline(engine, clock).take(kinds()["bifrost"](snapshot.source), snapshot, failure)


def fail(engine: Engine, at: datetime, failure: SourceError | None = None) -> None:
    """A walk that was given up with nothing in hand."""
    nothing = Snapshot(source="s", kind="bifrost", observed_at=at, origin=Origin.RUN, pages=())
    take(engine, nothing, failure or FetchError("s: no answer"))


def configure(engine: Engine, *sources: SourceEntry) -> None:
    with engine.begin() as connection:
        record(connection, sources, [], [], now=clock())


def health(engine: Engine, source: str = "s") -> Any:
    with engine.connect() as connection:
        return connection.execute(text("SELECT * FROM mart.source_health WHERE source = :s"), {"s": source}).one()


@pytest.fixture(autouse=True)
def _enabled(engine: Engine) -> None:
    configure(engine, S)


def test_the_columns_are_those_of_the_contract(engine: Engine) -> None:
    assert list(health(engine)._fields) == [
        *("source", "kind", "enabled", "status", "last_attempt_at", "last_complete_at", "last_change_at"),
        *(
            "max_age_seconds",
            "consecutive_failures",
            "held_snapshots",
            "quarantined_records",
            "unmapped_fields",
            "last_error",
        ),
    ]


def test_a_source_that_was_never_attempted_says_so_and_knows_no_moment(engine: Engine) -> None:
    row = health(engine)
    assert tuple(row) == ("s", "bifrost", True, "never", None, None, None, 3 * 3600, 0, 0, 0, 0, None)


def test_a_complete_live_snapshot_makes_it_fresh(engine: Engine) -> None:
    take(engine, shown(ago(hours=2), FULL))
    row = health(engine)
    assert row.status == "fresh"
    assert row.last_attempt_at == row.last_complete_at == row.last_change_at == ago(hours=2)


def test_it_is_stale_when_the_last_complete_one_is_older_than_its_max_age(engine: Engine) -> None:
    take(engine, shown(ago(hours=2), FULL))
    configure(engine, replace(S, max_age=timedelta(hours=1), schedule="7 * * * *"))
    assert health(engine).status == "stale"
    configure(engine, replace(S, max_age=timedelta(hours=2, minutes=5)))
    assert health(engine).status == "fresh"


def test_it_is_stale_when_no_snapshot_was_ever_complete(engine: Engine) -> None:
    take(engine, shown(ago(minutes=1), PARTIAL))
    row = health(engine)
    assert (row.status, row.last_complete_at, row.last_attempt_at) == ("stale", None, ago(minutes=1))


def test_an_incomplete_one_does_not_keep_it_fresh(engine: Engine) -> None:
    take(engine, shown(ago(hours=4), FULL))
    take(engine, shown(ago(hours=1), PARTIAL))
    row = health(engine)
    assert (row.status, row.last_complete_at) == ("stale", ago(hours=4))


def test_a_backfill_is_no_attempt_and_makes_nothing_fresh(engine: Engine) -> None:
    take(engine, shown(ago(minutes=1), FULL, Origin.BACKFILL))
    row = health(engine)
    assert (row.status, row.last_attempt_at, row.last_complete_at) == ("never", None, None)
    assert row.last_change_at == ago(minutes=1)


def test_a_failed_backfill_is_no_failure_of_the_source(engine: Engine) -> None:
    take(engine, shown(ago(hours=1), FULL))
    page = Page(number=1, url="page", status=200, body=b"<html>", fetched_at=NOW)
    result = take(engine, replace(shown(NOW, FULL, Origin.BACKFILL), pages=(page,)))
    assert (result.status, health(engine).status, health(engine).consecutive_failures) == ("failed", "fresh", 0)


@pytest.mark.parametrize(
    "failure", [FetchError("s: no answer"), AccessError("s: HTTP 401"), ContractError("s: not the catalog we know")]
)
def test_whatever_fails_is_an_attempt_and_tells_why(engine: Engine, failure: SourceError) -> None:
    take(engine, shown(ago(hours=2), FULL))
    fail(engine, ago(hours=1), failure)
    row = health(engine)
    assert (row.status, row.consecutive_failures, row.last_error) == ("failing", 1, str(failure))
    assert (row.last_attempt_at, row.last_complete_at) == (ago(hours=1), ago(hours=2))


def test_a_catalog_that_cannot_be_read_is_a_failure_too(engine: Engine) -> None:
    page = Page(number=1, url="page", status=200, body=b"<html>", fetched_at=NOW)
    take(engine, replace(shown(NOW, FULL), pages=(page,)))
    row = health(engine)
    assert (row.status, row.consecutive_failures) == ("failing", 1)
    assert "HTML where JSON was expected" in row.last_error


def test_failures_are_counted_since_the_last_attempt_that_did_not_fail(engine: Engine) -> None:
    for hour in (9, 8):
        fail(engine, ago(hours=hour))
    assert health(engine).consecutive_failures == 2
    take(engine, shown(ago(hours=7), FULL))
    row = health(engine)
    assert (row.consecutive_failures, row.last_error, row.status) == (0, None, "stale")
    for hour in (6, 5, 4):
        fail(engine, ago(hours=hour))
    assert health(engine).consecutive_failures == 3


def test_failures_at_one_moment_are_counted_each(engine: Engine) -> None:
    take(engine, shown(NOW, FULL))
    for _ in range(2):
        fail(engine, NOW)
    assert (health(engine).consecutive_failures, health(engine).status) == (2, "failing")


def test_a_backfill_between_failures_does_not_interrupt_them(engine: Engine) -> None:
    fail(engine, ago(hours=3))
    take(engine, shown(ago(hours=2), FULL, Origin.BACKFILL))
    fail(engine, ago(hours=1))
    assert health(engine).consecutive_failures == 2


def test_a_held_snapshot_is_an_attempt_that_did_not_fail_and_does_not_count(engine: Engine) -> None:
    take(engine, shown(ago(hours=2), FULL))
    fail(engine, ago(hours=1))
    held = take(engine, shown(ago(minutes=5), FEW))
    row = health(engine)
    assert (held.status, row.held_snapshots, row.consecutive_failures, row.status) == ("held", 1, 0, "fresh")
    assert (row.last_attempt_at, row.last_complete_at, row.last_error) == (ago(minutes=5), ago(hours=2), None)
    Pipeline(engine, clock).reject(held.snapshot_id or 0)
    assert health(engine).held_snapshots == 0


def test_a_change_is_dated_by_the_last_snapshot_that_began_or_ended_anything(engine: Engine) -> None:
    take(engine, shown(ago(hours=3), FULL))
    take(engine, shown(ago(hours=2), FULL))
    assert health(engine).last_change_at == ago(hours=3)
    take(engine, shown(ago(hours=1), World(dict(list(FULL.models.items())[:9]))))
    take(engine, shown(NOW, World(dict(list(FULL.models.items())[:9]))))
    assert health(engine).last_change_at == ago(hours=1)


def test_what_was_set_aside_is_that_of_the_last_snapshot_that_counts(engine: Engine) -> None:
    bad = World({**FULL.models, "openai/bad": ("A", {"prompt": "12x"})}, garbage=True)
    take(engine, shown(ago(hours=3), bad))
    assert health(engine).quarantined_records == 2
    take(engine, shown(ago(hours=2), FULL))
    assert health(engine).quarantined_records == 0
    take(engine, shown(ago(hours=4), bad, Origin.BACKFILL))
    fail(engine, ago(hours=1))
    assert health(engine).quarantined_records == 0


def test_fields_without_a_meter_are_counted_each_once(engine: Engine) -> None:
    prices = {"prompt": "1", "per_smile": "2", "per_tear": "3"}
    rows = [{"id": f"openai/m{number}", "pricing": prices} for number in range(3)]
    page = Page(number=1, url="page", status=200, body=json.dumps({"data": rows}).encode(), fetched_at=NOW)
    take(engine, replace(shown(NOW, FULL), pages=(page,)))
    assert health(engine).unmapped_fields == 2


def test_disabled_says_more_than_how_it_went(engine: Engine) -> None:
    fail(engine, NOW)
    configure(engine, replace(S, enabled=False))
    row = health(engine)
    assert (row.status, row.enabled, row.consecutive_failures) == ("disabled", False, 1)


def test_sources_do_not_share_their_health(engine: Engine) -> None:
    configure(engine, S, replace(S, source="t"))
    fail(engine, NOW)
    take(engine, shown(NOW, FULL, source="t"))
    assert (health(engine).status, health(engine, "t").status) == ("failing", "fresh")


_MANY = """
INSERT INTO core.source (source, kind, enabled) SELECT 'many' || n, 'bifrost', true FROM generate_series(0, 4) n;
INSERT INTO raw.snapshot (source, kind, origin, observed_at, landed_at, fingerprint)
SELECT 'many' || n % 5, 'bifrost', 'run', at, at, ''
  FROM generate_series(1, 90000) n CROSS JOIN LATERAL (SELECT now() - make_interval(mins => 90000 - n)) t (at);
INSERT INTO core.snapshot (snapshot_id, source, observed_at, status, is_complete, opened, closed)
SELECT snapshot_id, source, observed_at,
       CASE WHEN source = 'many1' AND snapshot_id > 80000 THEN 'failed' ELSE 'unchanged' END, true, 0, 0
  FROM raw.snapshot;
INSERT INTO core.run (source, caller, worker, started_at, ended_at, outcome, snapshot_id)
SELECT source, 'run', 'w', observed_at, observed_at, status, snapshot_id FROM core.snapshot;
ANALYZE raw.snapshot; ANALYZE core.snapshot; ANALYZE core.run;
"""


@pytest.mark.slow
def test_ten_years_of_snapshots_are_not_all_looked_at(engine: Engine) -> None:
    with engine.begin() as connection:
        for statement in filter(str.strip, _MANY.split(";")):
            connection.execute(text(statement))
    assert health(engine, "many1").consecutive_failures == 2000
    with engine.connect() as connection:
        plan = connection.scalars(text("EXPLAIN SELECT * FROM mart.source_health"))
        assert [line for line in plan if "Seq Scan on snapshot" in line] == []
        connection.execute(text("SET LOCAL statement_timeout = '1s'"))
        assert len(connection.execute(text("SELECT * FROM mart.source_health")).all()) == 6
