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
WHOLES = {
    "reasoning_token": ("output_token",),
    **dict.fromkeys(("cache_read_token", "cache_read_implicit_token", "cache_write_token"), ("input_token",)),
    **dict.fromkeys(("cache_write_5m_token", "cache_write_1h_token"), ("cache_write_token", "input_token")),
    **{f"input_{what}_token": ("input_token",) for what in MODALITIES},
    **{f"output_{what}_token": ("output_token",) for what in MODALITIES},
    **{f"cache_read_{what}_token": (f"input_{what}_token", "input_token") for what in MODALITIES},
}
"""Which meters a meter counts inside, the nearest first."""
LIKE = {
    "cache_write_token": ("cache_write_5m_token",),
    "cache_write_1h_token": ("cache_write_token", "cache_write_5m_token"),
    **{f"cache_read_{what}_token": (f"input_{what}_token", "cache_read_token") for what in MODALITIES},
}
"""Whose price a meter has before that of its outermost whole, where it is not simply that of its wholes."""


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
        remark = usage.pop("note") if isinstance(usage.get("note"), str) else None
        counts = {meter: _count(quoted) for meter, quoted in usage.items()}
        lines = [self._line(asked, counts, meter) for meter in counts]
        remarks = [Line("note", None, None, None, None, Decimal(0) if lines else None, remark)] if remark else []
        return lines + remarks

    def total(self, asked: Question) -> Total:
        """What the whole row costs, or that nobody can say; with the remark that the usage carries."""
        lines = self.lines(asked)
        remarks = [line for line in lines if line.meter == "note" and line.note != "unknown meter name"]
        found = self._total(asked, [line for line in lines if line not in remarks])
        return found._replace(notes=found.notes | {str(line.note) for line in remarks})

    def _total(self, asked: Question, lines: list[Line]) -> Total:
        counts = {} if lines and lines[0].meter is None else read_json((asked.usage or "{}").encode())
        counts.pop("note", None)
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
        size, count = prompt(counts), counts[meter]
        if meter not in METERS or count is None:
            return _nothing(meter, count, "quantity not a number >= 0" if meter in METERS else "unknown meter name")
        priced = {one: self._whose(asked, size, counts, one) for one in counts if one in METERS}
        quantity, fault = billed(counts, priced, meter)
        if fault:
            return _nothing(meter, None, fault)
        if kept_in := _kept_in(priced, meter):
            why = f"counted in {kept_in}: no price of its own"
            return Line(meter, Decimal(0), None, None, None, Decimal(0), why)
        whose = priced[meter]
        if whose is None:
            return _nothing(meter, quantity, self._why_not(asked))
        tier, price = self._best(asked, size, whose) or (0, Price("", "", None))
        if size is None and tier != 0:
            return _nothing(meter, quantity, "prompt size unknown")
        if price.amount is None:
            why = "dynamic: the source says that it varies"
            return Line(meter, quantity, tier, None, price.currency, None, why)
        note = f"at the price of {whose}: none of its own" if whose != meter else None
        note = "free" if price.state == "free" else note
        return Line(meter, quantity, tier, price.amount, price.currency, EXACT.multiply(quantity, price.amount), note)

    def _whose(
        self, asked: Question, size: Decimal | None, counts: dict[str, Decimal | None], meter: str
    ) -> str | None:
        """The meter whose price a meter has: its own, or the first there is of those that it is part of or like."""
        wholes = WHOLES.get(meter, ())
        found = {one: self._best(asked, size, one) for one in (meter, *LIKE.get(meter, ()), *wholes)}
        unreadable = {one for one in counts if counts[one] is None}
        states = {one: best[1].state for one, best in found.items() if best and one not in unreadable}
        if meter == "reasoning_token" and states.get(meter) == "free" and states.get("output_token") == "priced":
            del states[meter]
        return next((one for one in found if one in states), None)

    def _best(self, asked: Question, size: Decimal | None, meter: str) -> tuple[int, Price] | None:
        """The highest tier that the prompt reaches, or where nobody knows its size the highest of all."""
        tiers = self._tiers(asked, meter)
        reached = [tier for tier in tiers if size is None or tier <= size]
        return (max(reached), tiers[max(reached)]) if reached else None

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


def billed(counts: dict[str, Decimal | None], priced: dict[str, str | None], meter: str) -> tuple[Decimal, str | None]:
    """How many units of a meter are billed, or why none can be, when each has the price of another or its own."""
    count = counts[meter] or Decimal(0)
    inside = [one for one in counts if meter in WHOLES.get(one, ())]
    if any(counts[one] is None for one in inside):
        return count, "a part of it is not a number >= 0"
    given = [one for one in inside if next(whole for whole in WHOLES[one] if whole in counts) == meter]
    taken = [one for one in inside if not _kept_in(priced, one) and _billed_whole(priced, one) == meter]
    cached = [one for one in given if one.startswith("cache")]
    groups = (taken, cached, [one for one in given if one not in cached])
    if any(_sum([counts[one] for one in group]) > count for group in groups):
        named = ", ".join(f"{one} {_plain(counts[one] or Decimal(0))}" for one in [meter, *sorted(given)])
        return count, f"a total and its parts disagree: {named}"
    return EXACT.subtract(count, _sum([counts[one] for one in taken])), None


def _is_kept(priced: dict[str, str | None], meter: str) -> bool:
    return priced[meter] != meter and priced[meter] in WHOLES.get(meter, ()) and priced[meter] in priced


def _billed_whole(priced: dict[str, str | None], meter: str) -> str | None:
    """The nearest whole that is given and billed itself."""
    return next((one for one in WHOLES.get(meter, ()) if one in priced and not _is_kept(priced, one)), None)


def _kept_in(priced: dict[str, str | None], meter: str) -> str | None:
    return _billed_whole(priced, meter) if _is_kept(priced, meter) else None


def prompt(counts: dict[str, Decimal | None]) -> Decimal | None:
    """How large the prompt is; None when a count that makes it up cannot be read."""
    if "input_token" in counts:
        direct = [meter for meter in counts if WHOLES.get(meter) == ("input_token",)]
        cached = [meter for meter in direct if meter.startswith("cache")]
        sums = [_sum([counts[meter] for meter in group]) for group in (cached, [m for m in direct if m not in cached])]
        return None if counts["input_token"] is None else max(counts["input_token"], *sums)
    parts = [meter for meter in counts if WHOLES.get(meter, ())[-1:] == ("input_token",)]
    if any(counts[meter] is None for meter in parts):
        return None
    return _sum([counts[meter] for meter in parts if WHOLES[meter][0] not in counts])


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


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
