"""One row per source and problem, with the first example in words."""

import json
from typing import Any

from sqlalchemy import Engine, text

from etl.database.driver import run_script
from etl.database.mart import FOLDER
from etl.domain.snapshot import Origin, Page, Snapshot
from etl.pipeline import Pipeline
from etl.result import Result
from etl.sources.registry import kinds
from tests.database.roles import as_owner
from tests.load.believing import clock, observe
from tests.load.worlds import World, moment

GOOD = [{"id": f"openai/m{number}", "pricing": {"prompt": "1"}} for number in range(10)]
BAD = {"id": "openai/bad", "pricing": {"prompt": "12x"}}


def take(engine: Engine, day: int, rows: list[Any], source: str = "s") -> Result:
    page = Page(number=1, url="page", status=200, body=json.dumps({"data": rows}).encode(), fetched_at=moment(day))
    snapshot = Snapshot(source=source, kind="bifrost", observed_at=moment(day), origin=Origin.RUN, pages=(page,))
    return Pipeline(engine, clock).take(kinds()["bifrost"](source), snapshot)


def problems(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT * FROM mart.data_quality ORDER BY source, problem")))


def test_what_is_well_has_no_row(engine: Engine) -> None:
    take(engine, 0, GOOD)
    assert problems(engine) == []


def test_records_that_could_not_be_read_are_counted_and_the_first_is_told(engine: Engine) -> None:
    result = take(engine, 0, [*GOOD, BAD, BAD | {"id": "openai/worse"}])
    [row] = problems(engine)
    assert list(row._fields) == ["source", "problem", "count", "example", "snapshot_id", "observed_at"]
    assert (row.source, row.problem, row.count) == ("s", "quarantined", 2)
    assert (row.snapshot_id, row.observed_at) == (result.snapshot_id, moment(0))
    assert row.example.startswith("page 1, /data/10")
    assert "12x" in row.example


def test_the_third_record_comes_before_the_eleventh(engine: Engine) -> None:
    take(engine, 0, [*GOOD[:2], BAD, *GOOD[2:], BAD | {"id": "openai/worse"}])
    [row] = problems(engine)
    assert row.example.startswith("page 1, /data/2")


def test_a_price_field_without_a_meter_is_told_with_a_value(engine: Engine) -> None:
    pricing = {"prompt": "1", "per_tear": "3", "per_smile": "2"}
    result = take(engine, 0, [{"id": model["id"], "pricing": pricing} for model in GOOD])
    [row] = problems(engine)
    assert (row.problem, row.count, row.snapshot_id) == ("unmapped", 2, result.snapshot_id)
    assert row.example == 'pricing.per_smile, for example "2"'


def test_what_a_later_snapshot_no_longer_shows_is_no_problem_any_more(engine: Engine) -> None:
    take(engine, 0, [*GOOD, BAD])
    take(engine, 1, GOOD)
    assert problems(engine) == []


def test_a_snapshot_that_does_not_count_is_not_looked_at(engine: Engine) -> None:
    first = take(engine, 0, [*GOOD, BAD])
    take(engine, 1, [])
    quarantined = next(row for row in problems(engine) if row.problem == "quarantined")
    assert quarantined.snapshot_id == first.snapshot_id


def test_held_snapshots_are_counted_and_the_first_tells_why(engine: Engine) -> None:
    worlds = [World({f"openai/m{number}": ("A", {"prompt": "1"}) for number in numbers}) for numbers in _SHRINKING]
    results = [observe(engine, "s", day, world) for day, world in enumerate(worlds)]
    assert [result.status for result in results] == ["loaded", "held", "held"]
    [row] = problems(engine)
    assert (row.problem, row.count, row.example) == ("held", 2, "would remove 3 of 10 models")
    assert (row.snapshot_id, row.observed_at) == (results[1].snapshot_id, moment(1))
    Pipeline(engine, clock).reject(results[1].snapshot_id or 0)
    [row] = problems(engine)
    assert (row.count, row.snapshot_id) == (1, results[2].snapshot_id)


_SHRINKING = (range(10), range(7), range(3, 10))
"""The third contradicts the second."""


def test_suspect_prices_are_counted_and_the_first_is_told(engine: Engine) -> None:
    with as_owner(engine).begin() as connection:
        run_script(connection, _SUSPECTS + (FOLDER / "66_data_quality.sql").read_text(encoding="utf-8"))
    [row] = problems(as_owner(engine))
    assert (row.source, row.problem, row.count, row.snapshot_id) == ("s", "suspect", 2, None)
    assert row.example == "a, input_token: 0.5 USD (too cheap; too round)"
    assert row.observed_at == moment(1)


_SUSPECTS = """
DROP VIEW mart.suspect_price CASCADE;
CREATE VIEW mart.suspect_price AS
SELECT 's' AS source, model_id, 'p' AS provider, '*' AS region, 'standard' AS plan, 'input_token' AS meter,
       0::bigint AS tier_start, 0.5 AS unit_price, 'USD' AS currency, valid_from::timestamptz,
       ARRAY['too cheap', 'too round'] AS reasons
  FROM (VALUES ('b', '2026-01-01Z'), ('a', '2026-01-02Z')) v (model_id, valid_from);
"""
"""Prices that are suspect because we say so: what makes one suspect is not the matter here."""


def test_each_source_and_each_problem_has_its_row(engine: Engine) -> None:
    take(engine, 0, [*GOOD, BAD])
    take(engine, 1, [])
    take(engine, 0, [*GOOD, BAD], source="t")
    assert [(row.source, row.problem) for row in problems(engine)] == [
        ("s", "held"),
        ("s", "quarantined"),
        ("t", "quarantined"),
    ]
