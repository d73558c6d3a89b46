"""Prices in force, their history and their answers for two moments are what a plain reading of the versions says."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import URL, Engine, text

from etl.database.engine import open_engine
from tests.mart.invented import (
    DAYS,
    FIRST_DAY,
    NOW,
    THEN,
    History,
    Key,
    holds,
    in_force,
    invent,
    rate,
    store,
)

Told = dict[Key, tuple[Any, ...]]


def expected(history: History, at: datetime, known_at: datetime) -> Told:
    """What ``price_as_of`` must say, by the definition of each column."""
    found = in_force(history, at, known_at)
    told = {}
    for key, version in found.items():
        tiers = [other[6] for other in found if other[:6] == key[:6] and other[6] > key[6]]
        usd = rate(version.currency, at)
        dollars = None if usd is None or version.amount is None else version.amount * usd
        told[key] = (
            name_of(history, key, at),
            min(tiers, default=None),
            version.currency,
            version.state,
            version.amount,
            dollars,
            None if dollars is None or key[5] == "request" else dollars * 10**6,
            version.valid_from,
            last_seen_of(history, key, at),
        )
    return told


def name_of(history: History, key: Key, at: datetime) -> str | None:
    names = history.names[key[0], key[1]]
    return next((name for name, start, end in names if holds(start, end, at)), None)


def last_seen_of(history: History, key: Key, at: datetime) -> datetime:
    hidden = [each for each in history.unseen if each.key == key and holds(each.valid_from, each.valid_to, at)]
    return hidden[0].last_seen_at if hidden else max(each for each in history.observations[key[0]] if each <= at)


def told(engine: Engine, relation: str, last: str = "last_seen_at", **moments: datetime | None) -> Told:
    """The rows of a relation in the same shape."""
    with engine.connect() as connection:
        rows = connection.execute(text(f"SELECT * FROM {relation}"), moments).mappings().all()
    keys = ("source", "model_id", "provider", "region", "plan", "meter", "tier_start")
    values = ("model_name", "tier_end", "currency", "price_state", "unit_price", "unit_price_usd", "usd_per_million")
    found = {
        tuple(row[name] for name in keys): tuple(row[name] for name in (*values, "valid_from", last)) for row in rows
    }
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_the_prices_at_any_moment_and_in_any_belief_are_those_of_the_versions(engine: Engine, seed: int) -> None:
    history = invent(seed)
    store(engine, history)
    as_of = "mart.price_as_of(:at, :known_at)"
    for half_days in range(-1, 2 * DAYS + 2):
        at = FIRST_DAY + timedelta(hours=12 * half_days)
        for known_at in (THEN, NOW):
            assert told(engine, as_of, at=at, known_at=known_at) == expected(history, at, known_at)
        assert told(engine, "mart.price_as_of(:at)", at=at) == expected(history, at, NOW)


@pytest.mark.parametrize("seed", range(3))
def test_the_prices_in_force_are_those_at_the_end_of_the_history(engine: Engine, seed: int) -> None:
    history = invent(seed)
    store(engine, history)
    assert told(engine, "mart.price_current") == expected(history, NOW, NOW)


@pytest.mark.parametrize("seed", range(3))
def test_each_version_is_told_with_what_held_when_it_began(engine: Engine, seed: int) -> None:
    history = invent(seed)
    store(engine, history)
    for at in {version.valid_from for version in history.prices}:
        begun = f"(SELECT * FROM mart.price_history WHERE valid_from = '{at}') begun"
        then = expected(history, at, NOW)
        assert told(engine, begun, "valid_from") == {key: (*row[:-1], at) for key, row in then.items() if row[-2] == at}


def test_the_history_that_is_believed_has_every_version_once(engine: Engine) -> None:
    history = invent(0)
    store(engine, history)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT unit_price, valid_from, valid_to FROM mart.price_history")).all()
    believed = [each for each in history.prices if each.known_to is None]
    assert sorted(rows, key=repr) == sorted(((e.amount, e.valid_from, e.valid_to) for e in believed), key=repr)
    assert any(row.unit_price == Decimal(77) for row in rows) is False


def test_the_functions_of_the_mart_bring_their_own_search_path_and_nobodys_rights(engine: Engine) -> None:
    with engine.connect() as connection:
        settings = connection.execute(
            text("SELECT proname, proconfig, prosecdef FROM pg_proc WHERE proname LIKE '%\\_as\\_of'")
        ).all()
    assert [(row.proconfig, row.prosecdef) for row in settings] == [(["search_path=pg_catalog, pg_temp"], False)] * 3


def test_a_reader_of_the_mart_alone_is_answered(engine: Engine, server_url: URL) -> None:
    history = invent(0)
    store(engine, history)
    with open_engine(server_url.set(database=engine.url.database)).begin() as connection:
        connection.execute(text("CREATE ROLE etl_test_onlooker NOLOGIN"))
        connection.execute(text("GRANT etl_reader TO etl_test_onlooker"))
        connection.execute(text("SET LOCAL ROLE etl_test_onlooker"))
        for function in ("price_as_of", "model_as_of"):
            assert connection.scalar(text(f"SELECT count(*) FROM mart.{function}('2026-04-04Z')"))
        assert connection.scalar(text("SELECT count(*) FROM mart.endpoint_as_of('2026-04-04Z')")) == 0
        connection.rollback()
