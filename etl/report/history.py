"""The price histories of a page: what every offer of a model cost from moment to moment, as far as it was seen.

Amounts are exact texts, moments are seconds of Unix time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from etl import spoken
from etl.report import words
from etl.report.facts import Facts
from etl.report.sql import Row
from etl.report.timeline import Mark, Silence, Span, Version, outline

OFFER = ("source", "model_id", "provider", "region", "plan", "meter", "tier_start")
"""What tells one price from another."""

Model = dict[str, Any]
"""One model: its ``name`` and its ``offers``, each with ``points`` up to the moment ``until``.

A point is ``[moment, what]``: from then on an amount in US dollars for what ``etl.spoken.unit`` says of the meter, or
``dynamic``, ``absent`` or ``unseen``; of another currency it is ``[moment, amount, currency, US dollars]``, where the
dollars are null without a rate.
"""


def histories(facts: Facts) -> list[Model]:
    """Every model in the facts, those with the most to see first."""
    observed = _Observed.of(facts)
    models: dict[str, list[dict[str, Any]]] = {}
    for key, rows in groupby(facts.prices, key=itemgetter(*OFFER)):
        versions = list(rows)
        # A source that was last looked at before the window has nothing to show in it.
        if observed.since <= observed.last[versions[0]["source"]]:
            models.setdefault(_name(versions[0]), []).append(_offer(key, versions, observed))
    found = [{"name": words.shortened(name), "offers": offers} for name, offers in models.items()]
    return sorted(found, key=lambda model: (-_telling(model["offers"]), model["name"]))


@dataclass(frozen=True)
class _Observed:
    """When the sources were looked at: from when to when, and when prices could not be seen, by source and by price."""

    since: datetime
    last: Mapping[str, datetime]
    gaps: Mapping[tuple[Any, ...], Sequence[Span]]
    unseen: Mapping[tuple[Any, ...], Sequence[Span]]

    @classmethod
    def of(cls, facts: Facts) -> "_Observed":
        last = {row["source"]: row["last_at"] for row in facts.sources}
        return cls(facts.scope.since, last, _spans(facts.gaps, ("source",)), _spans(facts.unseen, OFFER))

    def silences(self, key: tuple[Any, ...]) -> Iterator[Span]:
        """When a price could not be seen."""
        yield from self.gaps.get(key[:1], ())
        yield from self.unseen.get(key, ())


def _spans(rows: Iterable[Row], key: Sequence[str]) -> dict[Any, list[Span]]:
    spans: dict[Any, list[Span]] = {}
    for row in rows:
        spans.setdefault(tuple(row[name] for name in key), []).append(Span(row["since"], row["until"]))
    return spans


def _offer(key: tuple[Any, ...], versions: Sequence[Row], observed: _Observed) -> dict[str, Any]:
    first, last = versions[0], observed.last[key[0]]
    quoted = [Version(Span(row["valid_from"], row["valid_to"]), _quoted(row)) for row in versions]
    told = outline(quoted, observed.silences(key), max(observed.since, first["valid_from"]), last)
    return {
        "source": words.shortened(first["source"]),
        "where": words.shortened(words.where(first)),
        "id": words.shortened(first["model_id"]),
        "plan": words.shortened(first["plan"]),
        "meter": first["meter"],
        "tier": first["tier_start"],
        "points": [[int(at.timestamp()), *_told(mark)] for at, mark in told],
        "until": int(last.timestamp()),
    }


def _quoted(row: Row) -> str | tuple[str, str, str | None]:
    """What a version is told as."""
    if row["unit_price"] is None:
        return str(row["price_state"])
    amount = spoken.amount(row["unit_price"], row["meter"])
    if row["currency"] == "USD":
        return amount
    usd = row["unit_price_usd"]
    return amount, row["currency"], None if usd is None else spoken.amount(usd, row["meter"])


def _told(mark: Mark) -> tuple[Any, ...]:
    if isinstance(mark, tuple):
        return mark
    return (mark.value if isinstance(mark, Silence) else mark,)


def _name(row: Row) -> str:
    """What a model is called across gateways; by its source where nobody knows which one it is."""
    return str(row["canonical_id"] or f"{row['model_id']} ({row['source']})")


def _telling(offers: Iterable[dict[str, Any]]) -> int:
    """How much there is to see in a chart of the model: changes of what everybody pays, at several gateways."""
    shown = [offer for offer in offers if offer["meter"] == "input_token" and not offer["tier"]]
    return sum(len(offer["points"]) - 1 for offer in shown) * len({offer["source"] for offer in shown})
