"""An invented history, written straight into the tables: gaps, tiers, currencies, rates, prices that were carried on.

The days are few and the moments awkward: midnight, several snapshots a day, days without any, a rate that begins late.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise, product
from random import Random
from typing import Any

from sqlalchemy import Connection, Engine, insert, text

from etl.load.relations import model, price, unseen
from etl.load.tables import fx_rate, raw_snapshot, snapshot, source

FIRST_DAY = datetime(2026, 3, 27, tzinfo=UTC)
DAYS = 12
THEN, NOW = datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)
"""When the history became known, and when a part of it was corrected."""

Key = tuple[str, str, str, str, str, str, int]
"""Source, model, provider, region, plan, meter, first token of the tier."""

RATES = (
    ("USD", datetime(1970, 1, 1, tzinfo=UTC), Decimal(1)),
    ("EUR", FIRST_DAY + timedelta(days=3, hours=9), Decimal("1.1")),
    ("EUR", FIRST_DAY + timedelta(days=6), Decimal("1.2")),
    ("EUR", FIRST_DAY + timedelta(days=8, hours=23), Decimal("0.9")),
    ("CREDIT", datetime(1970, 1, 1, tzinfo=UTC), Decimal("0.001")),
)
"""There is none for CHF. Those of USD and CREDIT come with the schema."""


@dataclass(frozen=True)
class Version:
    """One version of a price; ``known_to`` is set where it was corrected."""

    key: Key
    currency: str
    state: str
    amount: Decimal | None
    valid_from: datetime
    valid_to: datetime | None = None
    known_from: datetime = THEN
    known_to: datetime | None = None


@dataclass(frozen=True)
class Unseen:
    """A span in which a price was carried on."""

    key: Key
    last_seen_at: datetime
    valid_from: datetime
    valid_to: datetime | None = None


@dataclass
class History:
    """What the tables hold; names of models by source, model and the moment from which they held."""

    observations: dict[str, list[datetime]]
    prices: list[Version] = field(default_factory=list)
    unseen: list[Unseen] = field(default_factory=list)
    names: dict[tuple[str, str], list[tuple[str, datetime, datetime | None]]] = field(default_factory=dict)


def invent(seed: int) -> History:
    """A history, the same for the same seed."""
    dice = Random(seed)  # noqa: S311  nobody must not guess it
    # The second source comes late and is gone early; the third shows no prices.
    spans = {"a": range(DAYS), "b": range(2, DAYS - 3), "c": range(DAYS)}
    history = History({name: list(_observations(dice, days)) for name, days in spans.items()})
    for name in ("a", "b"):
        for each in _keys(name):
            _live(dice, history, each)
        for model_id in ("m1", "m2"):
            history.names[name, model_id] = list(_names(dice, history.observations[name]))
    history.prices = [each for version in history.prices for each in _corrected(dice, version)]
    return history


def _observations(dice: Random, days: range) -> Iterator[datetime]:
    for day in days:
        if day in (days[0], days[-1]) or dice.random() < 0.75:
            for hour in sorted(dice.sample([0, 5, 12, 23], dice.randint(1, 3))):
                yield FIRST_DAY + timedelta(days=day, hours=hour)


def _keys(name: str) -> Iterator[Key]:
    for model_id, provider in product(("m1", "m2"), ("p", "q")):
        for meter, tier, plan in (
            ("input_token", 0, "standard"),
            ("input_token", 1000, "standard"),
            ("input_token", 5000, "standard"),
            ("output_token", 0, "standard"),
            ("output_token", 0, "batch"),
            ("request", 0, "standard"),
        ):
            yield (name, model_id, provider, "*", plan, meter, tier)


def _live(dice: Random, history: History, key: Key) -> None:
    """What becomes of one price, observation by observation."""
    held: Version | None = None
    hidden: Unseen | None = None
    last_seen_at = FIRST_DAY
    for at in history.observations[key[0]]:
        what = dice.choices(["stays", "changes", "is gone", "is hidden"], [5, 3, 1, 2])[0]
        if held is None:
            held = None if what == "is gone" else _quoted(dice, key, at)
        elif what == "is hidden":
            hidden = hidden or Unseen(key, last_seen_at, at)
            continue
        elif what != "stays":
            other = None if what == "is gone" else _quoted(dice, key, at)
            if other is None or _value(other) != _value(held):
                history.prices.append(replace(held, valid_to=at))
                held = other
        if hidden:
            history.unseen.append(replace(hidden, valid_to=at))
            hidden = None
        last_seen_at = at
    history.prices.extend([held] if held else [])
    history.unseen.extend([hidden] if hidden else [])


def _quoted(dice: Random, key: Key, at: datetime) -> Version:
    state = dice.choices(["priced", "free", "dynamic"], [12, 1, 1])[0]
    amount = {"priced": Decimal(dice.choice([2, 3, 4, 8])) / 10**6, "free": Decimal(0), "dynamic": None}[state]
    # A provider's currency seldom changes, and now and then an endpoint is quoted in two.
    usual = "EUR" if key[2] == "q" else "USD"
    return Version(key, dice.choices([usual, "USD", "EUR", "CHF", "CREDIT"], [12, 1, 1, 1, 1])[0], state, amount, at)


def _value(version: Version) -> tuple[str, str, Decimal | None]:
    return version.currency, version.state, version.amount


def _names(dice: Random, observations: list[datetime]) -> Iterator[tuple[str, datetime, datetime | None]]:
    moments = [observations[0], *sorted(dice.sample(observations[1:], 2))]
    for number, (start, end) in enumerate(pairwise([*moments, None])):
        # The second name is followed by a gap.
        yield f"name {number}", start or FIRST_DAY, end if number != 1 else (start or FIRST_DAY) + timedelta(minutes=1)


def _corrected(dice: Random, version: Version) -> Iterator[Version]:
    if dice.random() < 0.2:
        yield replace(version, state="priced", amount=Decimal(77), known_to=NOW)
        yield replace(version, known_from=NOW)
    else:
        yield version


def store(engine: Engine, history: History) -> None:
    """Write it into the tables of a migrated, empty warehouse."""
    with engine.begin() as connection:
        rows = [{"source": name, "kind": "bifrost"} for name in history.observations]
        connection.execute(insert(source), rows)
        later = [{"currency": c, "valid_from": v, "usd": u, "origin": "test"} for c, v, u in RATES if c == "EUR"]
        connection.execute(insert(fx_rate), later)
        _store_log(connection, history)
        connection.execute(insert(price.table), [_row(each) for each in history.prices])
        spans = [_key(each.key) | _span(each.valid_from, each.valid_to) for each in history.unseen]
        seen = [{"last_seen_at": each.last_seen_at} for each in history.unseen]
        connection.execute(insert(unseen.table), [one | other for one, other in zip(spans, seen, strict=True)])
        for (name, model_id), names in history.names.items():
            of_model: dict[str, Any] = {"source": name, "model_id": model_id, "extra": {}}
            rows = [of_model | {"name": shown} | _span(start, end) for shown, start, end in names]
            connection.execute(insert(model.table), rows)
        connection.execute(text("SELECT core.refresh_basket(source) FROM core.source"))


def _store_log(connection: Connection, history: History) -> None:
    """The snapshots that count, and beside each one that does not: a failed one an hour later."""
    for name, moments in history.observations.items():
        for at, status in [(at, "unchanged") for at in moments] + [
            (at + timedelta(hours=1), "failed") for at in moments
        ]:
            of_both = {"source": name, "observed_at": at}
            landed = of_both | {"kind": "bifrost", "origin": "run", "landed_at": at, "fingerprint": b""}
            number = connection.scalar(insert(raw_snapshot).returning(raw_snapshot.c.snapshot_id), landed)
            logged = of_both | {"snapshot_id": number, "status": status, "is_complete": True, "known_at": THEN}
            connection.execute(insert(snapshot), logged)


def _row(version: Version) -> dict[str, Any]:
    known = {"known_from": version.known_from, "known_to": version.known_to}
    value = {"currency": version.currency, "price_state": version.state, "unit_price": version.amount}
    span = _span(version.valid_from, version.valid_to, version.known_from)
    return _key(version.key) | value | span | known


def _key(key: Key) -> dict[str, Any]:
    return dict(zip(("source", *price.key), key, strict=True))


def _span(start: datetime, end: datetime | None, known: datetime = THEN) -> dict[str, Any]:
    ended = None if end is None else known
    return {"valid_from": start, "valid_to": end, "known_from": known, "end_known_from": ended}


def holds(valid_from: datetime, valid_to: datetime | None, at: datetime) -> bool:
    """Whether a version holds at a moment."""
    return valid_from <= at and (valid_to is None or valid_to > at)


def in_force(history: History, at: datetime, known_at: datetime = NOW) -> dict[Key, Version]:
    """The prices that hold at one moment, as believed at another."""
    return {
        each.key: each
        for each in history.prices
        if holds(each.valid_from, each.valid_to, at) and holds(each.known_from, each.known_to, known_at)
    }


def rate(currency: str, at: datetime) -> Decimal | None:
    """US dollars for one unit at a moment."""
    return next((usd for name, start, usd in reversed(RATES) if name == currency and start <= at), None)


def days(history: History, name: str) -> list[date]:
    """The days of a source, from its first snapshot that counts to its last."""
    first, last = (history.observations[name][number].date() for number in (0, -1))
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def end_of(day: date) -> datetime:
    """The last moment of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1, microseconds=-1)
