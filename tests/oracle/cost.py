"""What a usage costs, by the rules of docs/cost.md, with Decimal and loops: a book of dated prices and a question.

A version is believed at a moment unless it was learned later or given up before; its end counts once it was learned.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Any, NamedTuple

from tests.oracle.exact import read_json
from tests.oracle.names import METERS, MODALITIES

EXACT = Context(prec=1000)
FOREVER = datetime.max.replace(tzinfo=UTC)
PARTS = {
    "input_token": (
        "cache_read_token",
        "cache_read_implicit_token",
        "cache_write_token",
        "cache_write_5m_token",
        "cache_write_1h_token",
    ),
    **{f"input_{what}_token": (f"cache_read_{what}_token",) for what in MODALITIES},
}


@dataclass(frozen=True, kw_only=True)
class Version:
    """One thing that held for a while, as we believed for a while."""

    key: tuple[Any, ...]
    value: tuple[Any, ...] = ()
    valid_from: datetime
    valid_to: datetime | None = None
    known_from: datetime
    known_to: datetime | None = None
    end_known_from: datetime | None = None

    def held(self, at: datetime, known_at: datetime | None) -> bool:
        """Whether it held at one moment, as believed at another."""
        known = known_at or FOREVER
        is_believed = self.known_from <= known and (self.known_to is None or known < self.known_to)
        has_ended = self.valid_to is not None and self.valid_to <= at
        is_end_known = self.end_known_from is not None and self.end_known_from <= known
        return is_believed and self.valid_from <= at and not (has_ended and is_end_known)


class Price(NamedTuple):
    """What a price version says."""

    currency: str
    state: str
    amount: Decimal | None


class Question(NamedTuple):
    """One row of usage, its ``usage`` as JSON text or null, and the second clock."""

    source: str | None
    model_id: str | None
    provider: str | None
    region: str | None
    plan: str | None
    at: datetime | None
    usage: str | None
    known_at: datetime | None = None


class Line(NamedTuple):
    """The answer for one meter."""

    meter: str | None
    quantity: Decimal | None
    tier_start: int | None
    unit_price: Decimal | None
    currency: str | None
    cost: Decimal | None
    note: str | None


class Total(NamedTuple):
    """The answer for one row of usage."""

    prompt_tokens: Decimal | None
    cost: Decimal | None
    currency: str | None
    cost_usd: Decimal | None
    notes: frozenset[str]


@dataclass
class Book:
    """Everything that was ever believed, by key; a price's key ends with the meter, its tiers lie beside each other."""

    sources: set[str] = field(default_factory=set)
    models: dict[tuple[Any, ...], list[Version]] = field(default_factory=lambda: defaultdict(list))
    endpoints: dict[tuple[Any, ...], list[Version]] = field(default_factory=lambda: defaultdict(list))
    prices: dict[tuple[Any, ...], list[Version]] = field(default_factory=lambda: defaultdict(list))
    rates: dict[str, list[tuple[datetime, Decimal]]] = field(default_factory=lambda: defaultdict(list))

    def rate(self, currency: str | None, at: datetime) -> Decimal | None:
        """US dollars for one unit of a currency."""
        known = sorted(rate for rate in self.rates.get(currency or "", []) if rate[0] <= at)
        return known[-1][1] if known else None

    def lines(self, asked: Question) -> list[Line]:
        """What each meter of the usage costs."""
        usage = None if asked.usage is None else read_json(asked.usage.encode())
        if not isinstance(usage, dict):
            return [_nothing(None, None, "usage is null" if usage is None else "usage is not an object")]
        counts = {meter: _count(quoted) for meter, quoted in usage.items()}
        return [self._line(asked, counts, meter) for meter in counts]

    def total(self, asked: Question) -> Total:
        """What the whole row costs, or that nobody can say."""
        lines = self.lines(asked)
        counts = {} if lines and lines[0].meter is None else read_json((asked.usage or "{}").encode())
        size = prompt({meter: _count(quoted) for meter, quoted in counts.items()}) if counts else None
        used = [line for line in lines if line.quantity is None or line.quantity > 0]
        missing = frozenset(
            f"{line.meter}: {line.note}" if line.meter else str(line.note) for line in used if line.cost is None
        )
        if missing or not lines:
            return Total(size, None, None, None, missing or frozenset({"usage is empty"}))
        if not used:
            return Total(size, Decimal(0), None, Decimal(0), frozenset({"nothing used"}))
        return self._sum(asked, size, used)

    def _sum(self, asked: Question, size: Decimal | None, used: list[Line]) -> Total:
        rates = {str(line.currency): self.rate(line.currency, asked.at or FOREVER) for line in used}
        cost = _sum([line.cost for line in used])
        dollars = _sum(
            [EXACT.multiply(line.cost or Decimal(0), rates[str(line.currency)] or Decimal(0)) for line in used]
        )
        notes = set() if cost else {"free"}
        if len(rates) > 1:
            notes.add(f"mixed currencies: {min(rates)}, {max(rates)}")
        if unknown := [currency for currency, rate in rates.items() if rate is None]:
            notes.add(f"no rate for {min(unknown)}")
        single = used[0].currency if len(rates) == 1 else None
        return Total(size, cost if single else None, single, None if unknown else dollars, frozenset(notes))

    def _line(self, asked: Question, counts: dict[str, Decimal | None], meter: str) -> Line:
        quantity, fault = billed(counts, meter)
        if fault:
            return _nothing(meter, quantity, fault)
        size = prompt(counts)
        tiers = self._tiers(asked, meter)
        reached = [tier for tier in sorted(tiers) if size is None or tier <= size]
        if not reached:
            return _nothing(meter, quantity, self._why_not(asked))
        if size is None and reached[-1] != 0:
            return _nothing(meter, quantity, "prompt size unknown")
        price, tier = tiers[reached[-1]], reached[-1]
        if price.amount is None or quantity is None:
            why = "dynamic: the source says that it varies"
            return Line(meter, quantity, tier, None, price.currency, None, why)
        cost = EXACT.multiply(quantity, price.amount)
        note = "free" if price.state == "free" else None
        return Line(meter, quantity, tier, price.amount, price.currency, cost, note)

    def _tiers(self, asked: Question, meter: str) -> dict[int, Price]:
        key = (*_endpoint(asked), "standard" if asked.plan is None else asked.plan, meter)
        return {
            version.key[-1]: Price(*version.value)
            for version in self.prices.get(key, [])
            if asked.at is not None and version.held(asked.at, asked.known_at)
        }

    def _why_not(self, asked: Question) -> str:
        if asked.at is None:
            return "no moment given"
        if asked.source not in self.sources:
            return "source unknown"
        key = _endpoint(asked)
        for what, versions in (("model", self.models.get(key[:2], [])), ("endpoint", self.endpoints.get(key, []))):
            if not any(version.held(asked.at, asked.known_at) for version in versions):
                return f"{what} not listed at that time"
        return "no price published for the meter"


def billed(counts: dict[str, Decimal | None], meter: str) -> tuple[Decimal | None, str | None]:
    """How many units of a meter are billed, or why none can be."""
    count = counts[meter]
    if meter not in METERS:
        return count, "unknown meter name"
    if count is None:
        return None, "quantity not a number >= 0"
    parts = [counts[part] for part in PARTS.get(meter, ()) if part in counts]
    if None in parts:
        return None, "cached or written quantity not a number >= 0"
    rest = EXACT.subtract(count, _sum(parts))
    return (rest, None) if rest >= 0 else (None, "more cached and written tokens than input tokens")


def prompt(counts: dict[str, Decimal | None]) -> Decimal | None:
    """How large the prompt is; None when a count that makes it up cannot be read."""
    parts = [counts[part] for part in PARTS["input_token"] if part in counts]
    others = [counts[f"input_{what}_token"] for what in MODALITIES if f"input_{what}_token" in counts]
    whole = counts.get("input_token", Decimal(0))
    if whole is None or None in parts or None in others:
        return None
    return EXACT.add(max(whole, _sum(parts)), _sum(others))


def _sum(numbers: list[Decimal | None]) -> Decimal:
    total = Decimal(0)
    for number in numbers:
        total = EXACT.add(total, number or Decimal(0))
    return total


def _count(quoted: Any) -> Decimal | None:
    if isinstance(quoted, bool) or not isinstance(quoted, int | Decimal) or quoted < 0:
        return None
    return Decimal(quoted)


def _endpoint(asked: Question) -> tuple[Any, ...]:
    return (asked.source, asked.model_id, asked.provider, "*" if asked.region is None else asked.region)


def _nothing(meter: str | None, quantity: Decimal | None, note: str) -> Line:
    return Line(meter, quantity, None, None, None, None, note)


def spelled(usage: dict[str, Any]) -> str:
    """A usage as JSON text, its exact numbers as they are."""
    return "{" + ", ".join(f"{json.dumps(meter)}: {_spelled(count)}" for meter, count in usage.items()) + "}"


def _spelled(count: Any) -> str:
    return str(count) if isinstance(count, Decimal) else json.dumps(count)
