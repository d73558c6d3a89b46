"""Pages: JSON with exact numbers and storable text, and what is said of a body that is no JSON."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

from etl.domain.snapshot import Origin, Page, Snapshot
from etl.errors import ContractError
from etl.pipeline import Pipeline
from etl.sources.registry import kinds

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def page(body: bytes, **headers: str) -> Page:
    return Page(number=1, url="page", status=200, body=body, fetched_at=NOON, headers=headers)


def test_numbers_are_exact() -> None:
    found = page(b'{"a": 0.30000000000000004, "b": 2.50e-06, "c": 18446744073709551617, "d": 1}').document
    assert found == {"a": Decimal("0.30000000000000004"), "b": Decimal("0.0000025"), "c": 18446744073709551617, "d": 1}


@pytest.mark.parametrize(
    ("body", "stored"),
    [
        (b'{"a": "x\\u0000y"}', "x\ufffdy"),
        (b'{"a": "x\\ud800y"}', "x\ufffdy"),
        (b'{"a": "x\\uDFFFy"}', "x\ufffdy"),
        (b'{"a": "x\xed\xa0\x80y"}', "x\ufffdy"),
        (b'{"a": "\\ud83d\\ude00"}', "\U0001f600"),
    ],
)
def test_what_postgres_cannot_store_is_replaced_and_nothing_else(body: bytes, stored: str) -> None:
    assert page(body).document == {"a": stored}


def test_nul_and_lone_surrogates_do_not_break_a_load(engine: Engine) -> None:
    body = b'{"data": [{"id": "openai/a\\u0000", "name": "\\udc00", "x": {"\\u0000": ["\\ud800"]}}]}'
    snapshot = Snapshot(source="s", kind="bifrost", observed_at=NOON, origin=Origin.BACKFILL, pages=(page(body),))
    assert Pipeline(engine, lambda: NOON).take(kinds()["bifrost"]("s"), snapshot).status == "loaded"
    with engine.connect() as connection:
        assert connection.execute(text("SELECT model_id, name FROM mart.model_current")).one() == (
            "openai/a\ufffd",
            "\ufffd",
        )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "an empty body"),
        (b"<!DOCTYPE html><html>", "HTML where JSON was expected: check url and path"),
        (b'{"data": [', "no JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" * 200 + b"]" * 200, "nested too deeply"),
    ],
)
def test_a_body_that_is_no_catalog_is_named(body: bytes, said: str) -> None:
    with pytest.raises(ContractError, match=said):
        _ = page(body).document


@pytest.mark.parametrize("number", ["9" * 5000, "0." + "9" * 1001])
def test_a_number_without_an_end_becomes_words(number: str) -> None:
    assert page(f"[{number}, 1]".encode()).document == [f"a number of {len(number)} digits", 1]
