"""What every reading is made of: exact numbers, the `Reading` itself, and the fence around a single record.

JSON numbers become Decimal, quotients are judged as Fraction, and no float is ever made.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

EXACT, KEPT, DOUBLE = Context(prec=400), Context(prec=28), Context(prec=15)

Json = Any
Key = tuple[Any, ...]
Value = tuple[Any, ...]


class UnreadableError(ValueError):
    """A record, or a whole body, that cannot be understood."""


@dataclass
class Reading:
    """One snapshot: values by key, and what its silence proves."""

    models: dict[Key, Value] = field(default_factory=dict)  # (model_id,)
    endpoints: dict[Key, Value] = field(default_factory=dict)  # (model_id, provider, region)
    prices: dict[Key, Value] = field(default_factory=dict)  # (…, plan, meter, tier_start): currency, state, amount
    complete: bool = True  # may absence end anything at all?
    proven: Callable[[str], bool] = lambda _model_id: True  # and if so, may it end this model and its children?
    carried: set[Key] = field(default_factory=set)  # keys, or beginnings of keys, of quarantined records
    quarantined: list[str] = field(default_factory=list)
    unmapped: Counter[str] = field(default_factory=Counter)

    def ends(self, key: Key) -> bool:
        """Whether the absence of this key from the snapshot proves that it is gone."""
        held = any(key[:length] in self.carried for length in range(1, len(key) + 1))
        return self.complete and not held and self.proven(key[0])


def read_json(body: bytes) -> Json:
    """JSON with every number exact; NaN and its like stay words, which no price accepts."""
    return json.loads(body, parse_float=Decimal, parse_constant=str)


def number(value: Json) -> Decimal | None:
    """The exact decimal of a JSON number or a numeric string; None is the absence of one."""
    if value is None:
        return None
    try:
        found = None if isinstance(value, bool) else Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        found = None
    if found is None or not found.is_finite():
        raise UnreadableError(f"not a number: {value!r}")
    return found


def divide(amount: Decimal, by: Decimal) -> Decimal:
    """Exact where the division ends, 28 significant digits where it does not."""
    if by <= 0:
        raise UnreadableError(f"cannot be divided by {by}")
    rest = (Fraction(amount) / Fraction(by)).denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return (EXACT if rest == 1 else KEPT).divide(amount, by)


def quote(reading: Reading, key: Key, amount: Decimal | None, currency: str = "USD") -> None:
    """Adds a price unless there is none, or the key has one already."""
    if amount is None or key in reading.prices:
        return
    if amount < 0:
        raise UnreadableError(f"negative price {amount}")
    reading.prices[key] = (currency, "priced", EXACT.normalize(amount)) if amount else (currency, "free", Decimal(0))


def text(value: Json) -> str:
    """A part of a key: a string with something in it."""
    if not isinstance(value, str) or not value:
        raise UnreadableError(f"not an identity: {value!r}")
    return value


def dig(value: Json, *path: str) -> Json:
    """The value under a path of keys, None as soon as one is missing."""
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def listed(value: Json) -> list[Json]:
    """A list of records, or the refusal of what should have held one."""
    if not isinstance(value, list):
        raise UnreadableError("no list of records")
    return value


@contextmanager
def record(reading: Reading, *key: Json) -> Iterator[None]:
    """Reads one record: all of it is taken, or none of it and its key is carried on."""
    before = (dict(reading.models), dict(reading.endpoints), dict(reading.prices))
    try:
        yield
    except (UnreadableError, AttributeError, TypeError, ValueError) as error:
        reading.models, reading.endpoints, reading.prices = before
        known: list[str] = []
        for part in key:
            if not isinstance(part, str) or not part:
                break
            known.append(part)
        reading.quarantined.append(f"{key}: {error}")
        reading.carried.add(tuple(known))
        reading.complete = reading.complete and bool(known)  # with no key at all the snapshot can only add


def is_first(reading: Reading, seen: dict[Key, Value], *key: str) -> bool:
    """False for a second record of one key, which is quarantined and changes nothing."""
    if key in seen:
        reading.quarantined.append(f"{key}: duplicate")
    return key not in seen
