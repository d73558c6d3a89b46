"""Invents a book of prices, with gaps, tiers, currencies and a late correction, and questions that go to its edges."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.mart.book import put
from tests.oracle.cost import WHOLES, Book, Question, Version, spelled
from tests.oracle.names import METERS

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 12
CORRECTED = START + timedelta(days=8)
KNOWN = (None, CORRECTED - timedelta(microseconds=1), CORRECTED)
SOURCES, MODELS, PROVIDERS, REGIONS, PLANS = ("a", "b"), ("m1", "m2", "m3"), ("p", "q"), ("*", "eu"), ("standard", "x")
TIERS = ((0,), (0,), (0, 128_000), (0, 200_000), (0, 200_001), (0, 128_000, 272_000), (200_000,))
BOUNDS = (0, 1, 128_000, 200_000, 200_001, 272_000)
FAULTS: tuple[Any, ...] = (-1, Decimal("-0.5"), "12", "", None, True, [], {})
ORDERED = sorted(METERS)


def book(seed: int) -> Book:
    """A few hundred prices."""
    dice = random.Random(seed)  # noqa: S311  a test that repeats itself
    made = Book(sources={*SOURCES, "empty"})
    made.rates["USD"] = [(START - timedelta(days=9_999), Decimal(1))]
    made.rates["CREDIT"] = [(START - timedelta(days=9_999), Decimal("0.001"))]
    made.rates["CNY"] = [(START + timedelta(days=3), Decimal("0.137")), (START + timedelta(days=6), Decimal("0.1411"))]
    for source in SOURCES:
        for model in MODELS:
            put(made, "models", _history(dice, (source, model), lambda: (), gaps=0.2))
            for provider in PROVIDERS:
                _endpoint(dice, made, (source, model, provider, dice.choice(REGIONS)))
    return made


def _endpoint(dice: random.Random, made: Book, key: tuple[str, ...]) -> None:
    put(made, "endpoints", _history(dice, key, lambda: (), gaps=0.2))
    currency = dice.choice(("USD", "USD", "CREDIT", "EUR", "CNY"))
    for plan in PLANS[: dice.randint(1, 2)]:
        for meter in dice.sample(ORDERED, dice.randint(4, 20)):
            for tier in dice.choice(TIERS):
                put(made, "prices", _history(dice, (*key, plan, meter, tier), lambda: _price(dice, currency), gaps=0.1))


def _price(dice: random.Random, currency: str) -> tuple[Any, ...]:
    if dice.random() < 0.05:
        currency = "USD"
    kind = dice.random()
    if kind < 0.08:
        return (currency, "free", Decimal(0))
    if kind < 0.14:
        return (currency, "dynamic", None)
    return (currency, "priced", Decimal(dice.randint(1, 10 ** dice.randint(1, 18))).scaleb(-dice.randint(0, 23)))


def _history(dice: random.Random, key: tuple[Any, ...], value: Any, gaps: float) -> Iterator[Version]:
    """Versions learned day by day; for some keys, at one moment, all of it was found to have been otherwise."""
    learned = _timeline(dice, key, value, gaps)
    if dice.random() >= 0.4:
        yield from learned
        return
    for version in learned:
        if version.valid_from < CORRECTED:
            open_then = version.valid_to is None or version.valid_to >= CORRECTED
            known = replace(version, known_to=CORRECTED)
            yield replace(known, valid_to=None, end_known_from=None) if open_then else known
    for version in _timeline(dice, key, value, gaps):
        end_known = max(CORRECTED, version.end_known_from) if version.end_known_from else None
        yield replace(version, known_from=max(CORRECTED, version.known_from), end_known_from=end_known)


def _timeline(dice: random.Random, key: tuple[Any, ...], value: Any, gaps: float) -> list[Version]:
    cuts = [START + timedelta(days=day) for day in sorted(dice.sample(range(DAYS), dice.randint(1, 3)))]
    versions = []
    for begin, end in zip(cuts, [*cuts[1:], None], strict=True):
        if dice.random() >= gaps:
            versions.append(
                Version(key=key, value=value(), valid_from=begin, valid_to=end, known_from=begin, end_known_from=end)
            )
    return versions


def questions(made: Book, seed: int, number: int) -> list[Question]:
    """Questions about this book, at the edges of its times and tiers more often than not."""
    dice = random.Random(seed)  # noqa: S311  a test that repeats itself
    priced: dict[tuple[str, ...], list[str]] = {}
    for *endpoint, meter in sorted(made.prices):
        priced.setdefault(tuple(endpoint), []).append(meter)
    return [_question(dice, *dice.choice(list(priced.items()))) for _ in range(number)]


def _question(dice: random.Random, key: tuple[str, ...], priced: list[str]) -> Question:
    source, model, provider, region, plan = key
    at = START + timedelta(days=dice.randint(-1, DAYS), microseconds=dice.choice((-1, 0, 0, 1)))
    usage = _usage(dice, priced if dice.random() < 0.8 else ORDERED)
    asked = Question(source, model, provider, region, plan, at, usage, dice.choice(KNOWN))
    if asked.region == "*" and dice.random() < 0.5:
        asked = asked._replace(region=None)
    if asked.plan == "standard" and dice.random() < 0.5:
        asked = asked._replace(plan=None)
    strange = dice.choice(({"source": "empty"}, {"source": "z"}, {"model_id": "z"}, {"provider": None}, {"at": None}))
    return asked._replace(**strange) if dice.random() < 0.05 else asked


def _usage(dice: random.Random, meters: list[str]) -> str | None:
    if dice.random() < 0.02:
        return dice.choice((None, "null", "[]", "3", '"input_token"', "{}"))
    usage: dict[str, Any] = {meter: _count(dice) for meter in dice.sample(meters, dice.randint(0, 4))}
    if dice.random() < 0.8 and (meters is ORDERED or "input_token" in meters):
        usage["input_token"] = dice.choice(BOUNDS) + dice.choice((-1, 0, 0, 1, Decimal("0.5")))
    if dice.random() < 0.5:
        usage["output_token"] = dice.choice((0, dice.randint(0, 300_000)))
    for meter in WHOLES:
        # Parts of what is there, priced here or not, and now and then more of them than there is.
        if dice.random() < 0.14 and (meters is ORDERED or meter in meters or dice.random() < 0.3):
            usage[meter] = dice.choice((0, dice.randint(0, 9_000), dice.randint(0, 30_000), dice.randint(0, 90_000)))
    if dice.random() < 0.05:
        usage["note"] = "a word of usage_from"
    if dice.random() < 0.08:
        usage[dice.choice([*usage, "tokens", "INPUT_TOKEN", "cache_read_token"])] = dice.choice((*FAULTS, 0, 7))
    return spelled(dict(dice.sample(list(usage.items()), len(usage))))


def _count(dice: random.Random) -> Any:
    if dice.random() < 0.1:
        return Decimal(dice.randint(0, 10**9)).scaleb(-dice.randint(0, 6))
    return dice.choice((0, 1, dice.randint(0, 30_000), dice.randint(0, 300_000), dice.randint(0, 10**12)))
