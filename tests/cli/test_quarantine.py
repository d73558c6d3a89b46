"""``etl quarantine``: where, why and what."""

import json

import pytest
from sqlalchemy import Engine

from etl.pipeline import Pipeline
from tests.cli.conftest import Run
from tests.faults.poison import GOOD, take
from tests.load.believing import Ticking

BROKEN = b'{"data": [{"id": "o/a", "context_length": "many"}, {"id": "o/b", "pricing": {"prompt": "12x"}}, 7]}'


@pytest.fixture
def told(warehouse: Engine) -> Engine:
    """A source whose last snapshot has three records that cannot be read, another one whose last has none any more."""
    pipeline = Pipeline(warehouse, Ticking())
    take(pipeline, "ill", 0, BROKEN)
    take(pipeline, "well", 0, BROKEN)
    take(pipeline, "well", 1, GOOD)
    return warehouse


def test_it_lists_the_records_of_the_last_snapshot_of_each_source(etl: Run, told: Engine) -> None:
    del told
    rows = json.loads(etl("quarantine", "--json").out)
    assert [(row["source"], row["snapshot_id"], row["page"], row["pointer"]) for row in rows] == [
        ("ill", 1, 1, "/data/0"),
        ("ill", 1, 1, "/data/2"),
        ("ill", 1, 1, "/data/1/pricing/prompt"),
    ]
    assert rows[0]["record"] == {"id": "o/a", "context_length": "many"}
    assert rows[2] | {"reason": "'12x' is not a number", "record": "12x", "count": 1} == rows[2]
    table = etl("quarantine").out
    assert "/data/1/pricing/prompt" in table
    assert '{"id": "o/a"' in table


def test_it_is_asked_by_name_by_snapshot_and_for_all(etl: Run, told: Engine) -> None:
    del told
    assert json.loads(etl("quarantine", "well", "--json").out) == []
    assert "nothing is quarantined now" in etl("quarantine", "--source", "well").err
    assert len(json.loads(etl("quarantine", "well", "--all", "--json").out)) == 3
    assert {row["source"] for row in json.loads(etl("quarantine", "--snapshot", "2", "--json").out)} == {"well"}
    limited = etl("quarantine", "--all", "--limit", "2", "--json")
    assert len(json.loads(limited.out)) == 2
    assert "only the first 2" in limited.err


def test_a_name_that_is_no_source_is_wrong_usage(etl: Run, told: Engine) -> None:
    del told
    ended = etl("quarantine", "wel")
    assert (ended.status, "did you mean well?" in ended.err) == (2, True)
