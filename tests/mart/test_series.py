"""Daily prices and the price index are what a plain reading of the versions, day by day, says."""

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Connection, Engine, text

from tests.database.roles import as_owner
from tests.load.believing import load
from tests.load.worlds import World, moment
from tests.mart.invented import DAYS, FIRST_DAY, History, Key, days, end_of, holds, in_force, invent, rate, store

SEEDS = range(4)


def daily(history: History) -> set[tuple[Any, ...]]:
    """Every row that ``price_daily`` must have."""
    return {
        (*key, day, held.currency, held.state, held.amount, per_million(held, day), is_carried(history, key, day))
        for name in history.observations
        for day in days(history, name)
        for key, held in in_force(history, end_of(day)).items()
        if key[0] == name
    }


def per_million(held: Any, day: date) -> Decimal | None:
    usd = rate(held.currency, end_of(day))
    if usd is None or held.amount is None or held.key[5] == "request":
        return None
    return held.amount * usd * 10**6  # type: ignore[no-any-return]


def is_carried(history: History, key: Key, day: date) -> bool:
    """Whether none of the day's snapshots showed the price."""
    hidden = [each for each in history.unseen if each.key == key]
    of_day = [at for at in history.observations[key[0]] if at.date() == day]
    return all(any(holds(each.valid_from, each.valid_to, at) for each in hidden) for at in of_day)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_has_the_prices_that_held_at_its_end(engine: Engine, seed: int) -> None:
    history = invent(seed)
    store(engine, history)
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT source, model_id, provider, region, plan, meter, tier_start, day, currency, price_state,"
                " unit_price, usd_per_million, is_carried FROM mart.price_daily"
            )
        ).all()
    expected = daily(history)
    assert len(rows) == len(expected)
    assert {tuple(row) for row in rows} == expected
    assert {row.is_carried for row in rows} == {True, False}


def test_the_time_zone_of_the_session_moves_no_day(engine: Engine) -> None:
    store(engine, invent(0))
    told = []
    with engine.connect() as connection:
        for zone in ("UTC", "Pacific/Auckland", "America/Los_Angeles"):
            connection.execute(text(f"SET TIME ZONE '{zone}'"))
            told.append(
                [
                    connection.execute(text(f"SELECT * FROM mart.{view} ORDER BY {view}::text")).all()
                    for view in ("price_daily", "price_index")
                ]
            )
            connection.execute(text("SELECT core.refresh_basket(source) FROM core.source"))
    assert told[0] == told[1] == told[2]


class Cost(NamedTuple):
    """What an item costs: by currency, since rates come and go."""

    input: Decimal
    input_currency: str
    output: Decimal
    output_currency: str

    def usd(self, day: date) -> Decimal | None:
        """In US dollars at the rate of a day."""
        one, other = (rate(currency, end_of(day)) for currency in (self.input_currency, self.output_currency))
        return None if one is None or other is None else (3 * self.input * one + self.output * other) / 4


def basket(history: History, name: str, day: date) -> dict[tuple[str, ...], Cost]:
    """The items of a source, or of all, at the end of a day."""
    found: dict[tuple[str, ...], Cost] = {}
    for source in history.observations:
        if name not in (source, "*") or day not in days(history, source):
            continue
        held = in_force(history, end_of(day))
        for key in held:
            endpoint = key[:4]
            one, other = (held.get((*endpoint, "standard", meter, 0)) for meter in ("input_token", "output_token"))
            if source == key[0] and one and other and one.amount and other.amount:
                cost = Cost(one.amount, one.currency, other.amount, other.currency)
                if cost.usd(day) is not None:
                    found[endpoint] = cost
    return found


Row = tuple[Decimal, int, int, int, int]


def index(history: History, name: str) -> dict[date, Row]:
    """The rows of ``price_index`` by definition: matched items, the geometric mean, the chain."""
    calendar = sorted({day for source in "ab" if name in (source, "*") for day in days(history, source)})
    level, before = 100.0, basket(history, name, calendar[0])
    rows = {calendar[0]: (Decimal(100), len(before), 0, 0, 0)}
    for day in calendar[1:]:
        now = basket(history, name, day)
        matched = now.keys() & before.keys()
        ratios = [(now[item].usd(day) or 0) / (before[item].usd(day) or 1) for item in matched]
        level *= math.prod(map(float, ratios)) ** (1 / len(ratios)) if ratios else 1
        changed = sum(ratio != 1 for ratio in ratios)
        counts = len(now), len(now.keys() - matched), len(before.keys() - matched), changed
        rows[day] = (round(Decimal(level), 4), *counts)
        before = now
    return rows


def told(connection: Connection) -> dict[tuple[str, date], Row]:
    rows = connection.execute(text("SELECT * FROM mart.price_index")).all()
    found = {(source, day): (round(level, 4), *counts) for source, day, level, *counts in rows}
    assert len(found) == len(rows)
    return found


def same(found: Mapping[tuple[str, date], Row], history: History) -> bool:
    """Whether the view says what the definition says; the last of the digits may differ."""
    wanted = {(name, day): row for name in ("a", "b", "*") for day, row in index(history, name).items()}
    return found.keys() == wanted.keys() and all(
        found[each][1:] == wanted[each][1:] and abs(found[each][0] - wanted[each][0]) <= Decimal("0.0002")
        for each in wanted
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_the_index_is_that_of_its_definition(engine: Engine, seed: int) -> None:
    history = invent(seed)
    store(engine, history)
    with engine.connect() as connection:
        assert same(told(connection), history)


def test_the_basket_can_be_refreshed_from_any_moment_on(engine: Engine) -> None:
    history = invent(7)
    store(engine, history)
    for day in range(-1, DAYS + 1):
        since = {"since": FIRST_DAY + timedelta(days=day, hours=5)}
        with engine.begin() as connection:
            later = "DELETE FROM core.basket_move WHERE day >= CAST(:since AS timestamptz)::date"
            connection.execute(text(later), since)
            connection.execute(text("SELECT core.refresh_basket(source, :since) FROM core.source"), since)
            assert same(told(connection), history)


def test_a_rate_that_is_added_is_heeded_at_once(engine: Engine) -> None:
    history = invent(1)
    store(engine, history)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM core.fx_rate WHERE currency = 'EUR'"))
        assert not same(told(connection), history)
        connection.execute(
            text("INSERT INTO core.fx_rate VALUES ('EUR', :at, :usd, 'test')"),
            [{"at": FIRST_DAY + timedelta(days=number), "usd": usd} for number, usd in ((3.375, 1.1), (6, 1.2))],
        )
        connection.execute(
            text("INSERT INTO core.fx_rate VALUES ('EUR', :at, 0.9, 'test')"),
            {"at": FIRST_DAY + timedelta(days=8, hours=23)},
        )
        assert same(told(connection), history)


def test_loads_in_any_order_keep_the_basket_as_one_that_is_worked_out_anew(engine: Engine) -> None:
    for day in (4, 0, 6, 2, 3, 1, 5):
        prices = {"prompt": str(2 + day % 3), "completion": str(3 + day % 2)}
        shown = {f"openai/m{number}": ("A", prices) for number in range(3) if (day + number) % 4}
        load(engine, "s", day, World(shown))
    moves = text("SELECT * FROM core.basket_move ORDER BY day")
    with as_owner(engine).begin() as connection:
        kept = connection.execute(moves).all()
        connection.execute(text("TRUNCATE core.basket_move"))
        connection.execute(text("SELECT core.refresh_basket('s')"))
        assert connection.execute(moves).all() == kept
        assert len(kept) == 7


def test_a_rate_that_changes_while_a_source_loads_waits_for_the_load(engine: Engine) -> None:
    for day in range(2):
        load(engine, "s", day, World({"openai/m": ("A", {"prompt": str(1 + day), "completion": "1"})}))
    moves = text("SELECT * FROM core.basket_move ORDER BY day")

    def change() -> None:
        with engine.begin() as connection:
            connection.execute(text("UPDATE core.fx_rate SET usd = usd * 2 WHERE currency = 'CREDIT'"))

    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as loading:
            kept = loading.execute(moves).all()
            loading.execute(text("SELECT core.refresh_basket('s')"))
            changing = pool.submit(change)
            with pytest.raises(TimeoutError):
                changing.result(timeout=1)
        changing.result(timeout=30)
    with engine.connect() as connection:
        assert connection.execute(moves).all() == kept


def test_an_empty_warehouse_has_no_series(engine: Engine) -> None:
    with engine.connect() as connection:
        for view in ("price_daily", "price_index"):
            assert connection.scalar(text(f"SELECT count(*) FROM mart.{view}")) == 0


def test_a_price_that_halves_takes_the_index_of_two_models_down_by_the_root_of_a_half(engine: Engine) -> None:
    for day, price in enumerate(("2", "1")):
        both = {"prompt": price, "completion": "2"}, {"prompt": "8", "completion": "8"}
        load(engine, "s", day, World({f"openai/m{number}": ("A", each) for number, each in enumerate(both)}))
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM mart.price_index WHERE source = 's' ORDER BY day DESC")).first()
    assert row is not None
    assert datetime(row.day.year, row.day.month, row.day.day, tzinfo=UTC) == moment(1)
    assert tuple(row)[2:] == (round(Decimal(100 * math.sqrt(5 / 8)), 6), 2, 0, 0, 1)
