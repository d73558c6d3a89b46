"""The database itself keeps the promises of history, whoever writes."""

from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from tests.database.roles import as_owner

PRICE = {
    "source": "s",
    "model_id": "m",
    "provider": "p",
    "region": "*",
    "plan": "standard",
    "meter": "input_token",
    "tier_start": 0,
    "currency": "USD",
    "price_state": "priced",
    "unit_price": 1,
    "known_from": "2026-02-01Z",
    "end_known_from": None,
    "known_to": None,
}


def version(connection: Connection, valid_from: str, valid_to: str | None, **other: Any) -> None:
    row = PRICE | {"valid_from": valid_from, "valid_to": valid_to} | other
    row["end_known_from"] = row["end_known_from"] or (row["known_from"] if valid_to else None)
    columns = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO core.price ({columns}) VALUES ({values})"), row)


def refused(engine: Engine, *versions: tuple[str, str | None, dict[str, Any]]) -> bool:
    try:
        with engine.begin() as connection:
            for valid_from, valid_to, other in versions:
                version(connection, valid_from, valid_to, **other)
    except IntegrityError:
        return True
    return False


def test_neighbours_that_touch_are_accepted(engine: Engine) -> None:
    assert not refused(engine, ("2026-01-01Z", "2026-01-02Z", {}), ("2026-01-02Z", None, {}))


@pytest.mark.parametrize(
    ("valid_from", "valid_to"),
    [("2026-01-02Z", "2026-01-03Z"), ("2026-01-02Z", None), ("2025-12-01Z", "2026-01-02Z"), ("2025-12-01Z", None)],
)
def test_an_overlapping_version_is_refused(engine: Engine, valid_from: str, valid_to: str | None) -> None:
    assert refused(engine, ("2026-01-01Z", "2026-01-05Z", {}), (valid_from, valid_to, {}))


def test_an_overlap_made_by_an_update_is_refused(engine: Engine) -> None:
    assert not refused(engine, ("2026-01-01Z", "2026-01-02Z", {}), ("2026-01-03Z", None, {}))
    with pytest.raises(IntegrityError, match="overlap"), engine.begin() as connection:
        connection.execute(text("UPDATE core.price SET valid_to = '2026-01-04Z' WHERE valid_to IS NOT NULL"))


def test_a_doubly_open_version_is_refused(engine: Engine) -> None:
    assert refused(engine, ("2026-01-01Z", None, {}), ("2026-01-02Z", None, {}))


@pytest.mark.parametrize(("valid_from", "valid_to"), [("2026-01-02Z", "2026-01-01Z"), ("2026-01-02Z", "2026-01-02Z")])
def test_an_inverted_or_empty_version_is_refused(engine: Engine, valid_from: str, valid_to: str) -> None:
    assert refused(engine, (valid_from, valid_to, {}))


def test_a_belief_that_ends_before_it_begins_is_refused(engine: Engine) -> None:
    assert refused(engine, ("2026-01-01Z", None, {"known_to": "2026-01-01Z"}))


def test_an_end_without_the_moment_it_became_known_is_refused(engine: Engine) -> None:
    assert not refused(engine, ("2026-01-01Z", None, {}))
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text("UPDATE core.price SET valid_to = '2026-01-02Z'"))


def test_versions_of_one_key_may_overlap_in_different_beliefs(engine: Engine) -> None:
    superseded = {"known_to": "2026-02-02Z"}
    assert not refused(engine, ("2026-01-01Z", None, superseded), ("2026-01-01Z", None, {"known_from": "2026-02-02Z"}))


def test_versions_of_one_key_that_overlap_in_one_belief_are_refused_also_when_superseded(engine: Engine) -> None:
    superseded = {"known_to": "2026-02-03Z"}
    assert refused(engine, ("2026-01-01Z", None, superseded), ("2026-01-01Z", None, {"known_from": "2026-02-02Z"}))


@pytest.mark.parametrize(
    ("state", "amount"),
    [("priced", 0), ("priced", None), ("priced", "NaN"), ("priced", -1), ("free", 1), ("free", None), ("dynamic", 1)],
)
def test_an_amount_that_contradicts_its_state_is_refused(engine: Engine, state: str, amount: object) -> None:
    assert refused(engine, ("2026-01-01Z", None, {"price_state": state, "unit_price": amount}))


@pytest.mark.parametrize("statement", ["UPDATE raw.{} SET {} = {}", "DELETE FROM raw.{}", "TRUNCATE raw.{} CASCADE"])
@pytest.mark.parametrize(("table", "column"), [("content", "size"), ("snapshot", "source"), ("page", "url")])
def test_landed_bytes_are_append_only(engine: Engine, statement: str, table: str, column: str) -> None:
    with pytest.raises(IntegrityError, match="append-only"), as_owner(engine).begin() as connection:
        connection.execute(text(statement.format(table, column, column)))


@pytest.mark.parametrize("other", [("2026-01-05Z", {}), (None, {"known_to": "2026-03-01Z"})], ids=["ended", "old"])
def test_an_overlap_among_many_versions_at_once_is_refused(engine: Engine, other: tuple[str | None, Any]) -> None:
    assert not refused(engine, ("2026-01-01Z", other[0], {"model_id": "m1000"} | other[1]))
    names = ", ".join(name for name in PRICE if name != "model_id")
    values = ", ".join(f":{name}" for name in PRICE if name != "model_id")
    many = (
        f"INSERT INTO core.price (model_id, valid_from, {names})"
        f" SELECT 'm' || n, CAST(:valid_from AS timestamptz), {values} FROM generate_series(1, 1000) n"
    )
    with pytest.raises(IntegrityError, match="overlap"), engine.begin() as connection:
        connection.execute(text(many), PRICE | {"valid_from": "2026-01-02Z"})
