"""A small reply stays small: what cannot be read is kept up to a limit, in number and in size, and ends nothing."""

import json
import resource
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Engine, text

from etl.pipeline import Pipeline
from etl.sources.quarantine import LIMIT, LONGEST_RECORD, MOST_SCOPES, cut
from etl.sources.registry import kinds
from tests.faults.poison import GOOD, take
from tests.faults.processes import ended, start
from tests.load.believing import Ticking

ZEROS = b'{"data":[' + b"0," * 999_998 + b"0]}"
MEMORY = 500 * 1024 * 1024
"""Bytes that a process takes to load a million records that cannot be read; of 1 GiB the server needs the rest."""


def rows(engine: Engine, sql: str) -> list[Any]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def load_in_little_memory(url: str, body: bytes) -> None:
    """Load a body, sure that this process never took more than ``MEMORY``."""
    from sqlalchemy import make_url  # noqa: PLC0415

    from etl.database.engine import open_engine  # noqa: PLC0415

    result = take(Pipeline(open_engine(make_url(url)), Ticking()), "s", 1, body)
    assert result.quarantined == 999_999
    taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert taken < MEMORY, f"{taken:,}"


def test_a_million_records_that_cannot_be_read_take_little_time_memory_and_room(
    warehouse_url: URL, engine: Engine
) -> None:
    assert take(Pipeline(engine, Ticking()), "s", 0, GOOD).status == "loaded"
    began = time.monotonic()
    process = start(load_in_little_memory, warehouse_url.render_as_string(hide_password=False), ZEROS)
    assert ended(process) == 0
    assert time.monotonic() - began < 30
    [(kept, counted)] = rows(engine, "SELECT count(*), sum(count) FROM core.quarantine")
    assert (kept, counted) == (LIMIT + 1, 999_999)
    further = "998999 more records cannot be read: only the first 1000 are kept (quarantine_limit)"
    assert rows(engine, "SELECT reason FROM core.quarantine WHERE count > 1") == [(further,)]
    assert rows(engine, "SELECT quarantined_records FROM mart.source_health") == [(999_999,)]
    assert rows(engine, "SELECT count, example FROM mart.data_quality WHERE problem = 'quarantined'") == [
        (999_999, "page 1, /data/0: record: Input should be a valid dictionary or instance of BifrostModel")
    ]
    assert rows(engine, "SELECT model_id FROM mart.model_current") == [("openai/m0",)]


def test_what_is_beyond_the_limit_ends_nothing_either(engine: Engine) -> None:
    many = {f"o/m{number}": {"id": f"o/m{number}", "pricing": {"prompt": "1"}} for number in range(40)}
    source = kinds()["bifrost"]("s")
    source.quarantine_limit = 5
    pipeline = Pipeline(engine, Ticking(), quarantine_limit=5)
    assert take(pipeline, "s", 0, json.dumps({"data": list(many.values())}).encode()).status == "loaded"
    from tests.faults.poison import saved  # noqa: PLC0415

    broken = [row | {"context_length": "broken"} for row in many.values()][1:]
    result = pipeline.take(source, saved("s", 1, json.dumps({"data": broken}).encode()))
    assert (result.status, result.quarantined, result.closed) == ("loaded", 39, 3)
    gone = "SELECT model_id FROM mart.model_history WHERE valid_to IS NOT NULL"
    assert rows(engine, gone) == [("o/m0",)]
    assert rows(engine, "SELECT count(*) FROM core.quarantine") == [(6,)]
    assert pipeline.verify(source, is_applied=False, progress=lambda *_: None).agrees


def test_with_more_keys_beyond_the_limit_than_can_be_carried_nothing_is_ended(engine: Engine) -> None:
    pipeline = Pipeline(engine, Ticking())
    assert take(pipeline, "s", 0, GOOD).status == "loaded"
    broken = [{"id": f"o/m{number}", "context_length": "broken"} for number in range(LIMIT + MOST_SCOPES + 2)]
    result = take(pipeline, "s", 1, json.dumps({"data": broken}).encode())
    assert (result.closed, result.status) == (0, "unchanged")
    assert "without a readable key" in str(result.reason)


def test_a_large_record_is_kept_by_its_beginning(engine: Engine) -> None:
    large = {"id": "o/x", "context_length": "x", "list": [0] * 300_000, "text": "y" * 300_000}
    take(Pipeline(engine, Ticking()), "s", 0, json.dumps({"data": [large]}).encode())
    [(size, pointer, record)] = rows(engine, "SELECT length(record::text), pointer, record FROM core.quarantine")
    assert size < 5 * LONGEST_RECORD
    assert pointer == "/data/0"
    assert record["id"] == "o/x"
    assert record["list"][-1].endswith(" more")


@pytest.mark.parametrize("value", [0, "x", [1, 2], {"a": {"b": None}}, [[]] * 3])
def test_small_json_is_kept_as_it_is(value: Any) -> None:
    assert cut(value) is value


def test_price_fields_without_a_meter_are_counted_up_to_a_limit(engine: Engine) -> None:
    pricing = {f"field{number:05}": "1" for number in range(1500)} | {"prompt": "0.000001"}
    result = take(
        Pipeline(engine, Ticking()), "s", 0, json.dumps({"data": [{"id": "o/x", "pricing": pricing}]}).encode()
    )
    assert result.unmapped == 1001
    assert rows(engine, "SELECT field, count FROM core.unmapped_field ORDER BY count DESC LIMIT 1") == [
        ("(further fields)", 500)
    ]


def test_two_endless_fields_stay_two(engine: Engine) -> None:
    pricing = {"f" * 5_000 + last: "1" for last in "ab"}
    result = take(
        Pipeline(engine, Ticking()), "s", 0, json.dumps({"data": [{"id": "o/x", "pricing": pricing}]}).encode()
    )
    assert result.unmapped == 2


def test_the_limit_is_configured(tmp_path: Path) -> None:
    from etl import config  # noqa: PLC0415

    (tmp_path / "etl.toml").write_text("quarantine_limit = 7\n")
    settings = config.load(tmp_path / "etl.toml")
    assert config.configured(settings, {})["bifrost"].source.quarantine_limit == 7
