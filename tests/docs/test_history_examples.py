"""Each worked example of docs/history.md, run through the pipeline: every row comes out as it is printed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import pytest
from sqlalchemy import Engine, text

from etl.pipeline import Pipeline
from etl.result import Result
from etl.sources.registry import kinds
from tests.docs.examples import Example, Row, examples, label, price, snapshot, time

EXAMPLES = list(examples())
CASES = {
    "Change",
    "Removal",
    "Return",
    "Late snapshot",
    "Correction",
    "Partial snapshot",
    "Quarantine",
    "Held",
    "Taking back",
}


@dataclass(frozen=True)
class Told:
    """A warehouse into which an example was loaded, and what became of each snapshot at once."""

    engine: Engine
    example: Example
    results: list[Result]

    def rows(self, sql: str, **parameters: datetime | None) -> Iterator[Row]:
        """What a query gives, written as the document writes it; a price is its columns model_id and unit_price."""
        with self.engine.connect() as connection:
            found = connection.execute(text(sql), parameters).mappings().all()
        for row in found:
            values = {name: label(value) for name, value in row.items() if name not in ("model_id", "unit_price")}
            yield {"price": price(row["model_id"], row["unit_price"])} | values


def test_every_case_has_an_example() -> None:
    assert {example.section for example in EXAMPLES} == CASES
    assert all({"known", "price"} <= example.tables.keys() for example in EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_comes_out_as_it_is_printed(engine: Engine, example: Example) -> None:
    arrived, decided = (
        [row for row in example.rows("known") if (row["origin"] == "person") is is_decision]
        for is_decision in (False, True)
    )
    told = Told(engine, example, [load(engine, row) for row in arrived])
    for row in decided:
        take_back(engine, row)
    check_what_became_of_the_snapshots(told)
    check_the_versions_on_both_clocks(told)
    check_the_history_that_is_believed_now(told)
    check_the_answers_for_two_moments(told)
    check_the_changes(told)
    check_the_last_sightings(told)


def load(engine: Engine, row: Row) -> Result:
    pipeline = Pipeline(engine, lambda: time(row["known"]))
    return pipeline.take(kinds()["bifrost"]("s"), snapshot(row))


def take_back(engine: Engine, row: Row) -> None:
    """Reject the snapshot of the time that a line names."""
    with engine.connect() as connection:
        number = connection.scalar(
            text("SELECT snapshot_id FROM mart.snapshot WHERE observed_at = :at"), {"at": time(row["observed"])}
        )
    assert Pipeline(engine, lambda: time(row["known"])).reject(number).status == "rejected"


def check_what_became_of_the_snapshots(told: Told) -> None:
    with told.engine.connect() as connection:
        log = text("SELECT snapshot_id, status FROM mart.snapshot")
        final = {row.snapshot_id: row.status for row in connection.execute(log)}
    statuses = [dict.fromkeys([result.status, final[result.snapshot_id or 0]]) for result in told.results]
    assert [", then ".join(each) for each in statuses] == [
        row["becomes"] for row in told.example.rows("known") if row["origin"] != "person"
    ]


def check_the_versions_on_both_clocks(told: Told) -> None:
    versions = told.rows(
        'SELECT model_id, unit_price, valid_from AS "valid from", valid_to AS "valid to", known_from AS "known from",'
        ' known_to AS "known to", end_known_from AS "end known from" FROM core.price'
    )
    assert ordered(versions) == ordered(told.example.rows("price"))


def check_the_history_that_is_believed_now(told: Told) -> None:
    shown = ("price", "valid from", "valid to", "known from")
    history = told.rows(
        'SELECT model_id, unit_price, valid_from AS "valid from", valid_to AS "valid to", known_from AS "known from"'
        " FROM mart.price_history"
    )
    believed = [row for row in told.example.rows("price") if row["known to"] == "-"]
    assert ordered(history) == ordered({name: row[name] for name in shown} for row in believed)


def check_the_answers_for_two_moments(told: Told) -> None:
    for question in told.example.rows("asked about"):
        known_at = None if question["known at"] == "-" else time(question["known at"])
        prices = told.rows(
            "SELECT model_id, unit_price FROM mart.price_as_of(:valid_at, :known_at)",
            valid_at=time(question["asked about"]),
            known_at=known_at,
        )
        assert sorted(row["price"] for row in prices) == question["answer"].split(), question


def check_the_changes(told: Told) -> None:
    expected = told.example.rows("change")
    with told.engine.connect() as connection:
        found = connection.execute(text("SELECT * FROM mart.price_change ORDER BY changed_at, model_id")).all()
    changes = [
        {
            "change": row.change,
            "of": row.model_id.partition("/")[2],
            "not before": label(row.not_before),
            "changed at": label(row.changed_at),
        }
        for row in found
    ]
    assert not expected or changes == expected


def check_the_last_sightings(told: Told) -> None:
    expected = [{"price": row["in force"], "last seen": row["last seen"]} for row in told.example.rows("in force")]
    found = told.rows('SELECT model_id, unit_price, last_seen_at AS "last seen" FROM mart.price_current')
    assert not expected or ordered(found) == ordered(expected)


def ordered(rows: Iterable[Row]) -> list[Row]:
    """Rows in one fixed order."""
    return sorted(rows, key=lambda row: tuple(row.values()))
