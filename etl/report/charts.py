"""What the charts of a page besides the price histories are drawn from; amounts are exact texts, moments Unix time."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from operator import itemgetter, ne
from typing import Any

from etl import spoken
from etl.report import words
from etl.report.facts import Facts
from etl.report.sql import Row

LARGEST = 8
"""Cuts, and rises, in the chart of the largest."""

WIDEST = 20
"""Models in the chart of offers: those with the most hosts."""

STEEPEST = 6
"""Lines in the chart of tiers."""


def charts(facts: Facts) -> dict[str, Any]:
    """All of them, by the names of their places in the page."""
    return {
        "changes": largest(facts.changes),
        "index": [_index(source, rows) for source, rows in _by(facts.index, "source")],
        "sizes": _sizes(facts),
        "offers": [_compared(model, rows) for model, rows in _by(facts.offers, "canonical_id")][:WIDEST],
        "tiers": tiers(facts.tiers)[:STEEPEST],
    }


def largest(changes: Sequence[Row]) -> list[dict[str, Any]]:
    """The largest rises and cuts with a factor, input and output alone: other meters mostly follow them."""
    told = [row for row in changes if row["ratio"] is not None and row["meter"] in ("input_token", "output_token")]
    rises, cuts = ([row for row in told if (row["ratio"] > 1) is is_rise][:LARGEST] for is_rise in (True, False))
    return [
        {
            "model": words.shortened(row["model_id"].rpartition("/")[2]),
            "meter": words.shortened(words.meter(row)),
            "source": words.shortened(row["source"]),
            "where": words.shortened(words.where(row)),
            "ratio": f"{row['ratio']:f}",
            "suspect": row["is_suspect"] or row["is_correction"],
            "effect": words.effect(row["ratio"]),
            "step": f"{words.price(row, 'old_')} → {words.price(row, 'new_')} {words.unit(row)}",
            "when": words.day(row["changed_at"]),
        }
        for row in (*rises, *reversed(cuts))
    ]


def _index(source: str, rows: Sequence[Row]) -> dict[str, Any]:
    told = [(row["index"], row["items"]) for row in rows]
    # Between those where something moved the line is flat.
    corners = [row for row, is_new in zip(rows, map(ne, told, [None, *told]), strict=True) if is_new]
    return {
        "name": "all together" if source == "*" else words.shortened(source),
        "at": [_midnight(row["day"]) for row in corners],
        # The last day lasts a day, so that a change on it is seen.
        "until": _midnight(rows[-1]["day"] + timedelta(days=1)),
        # Of an empty basket there is nothing to tell.
        "values": [f"{row['index']:.2f}" if row["items"] else None for row in corners],
        "items": [row["items"] for row in corners],
    }


def _sizes(facts: Facts) -> list[dict[str, Any]]:
    churn = dict(_by(facts.churn, "source"))
    last = {row["source"]: _seconds(row["last_at"]) for row in facts.sources if row["last_at"]}
    found = []
    for source, rows in _by(facts.sizes, "source"):
        moves = churn.get(source, [])
        found.append(
            {
                "name": words.shortened(source),
                "at": [_seconds(row["observed_at"]) for row in rows],
                "until": last[source],
                "values": [row["models"] for row in rows],
                "moved": [_seconds(row["changed_at"]) for row in moves],
                "came": [row["came"] for row in moves],
                "went": [row["went"] for row in moves],
            }
        )
    return found


def _compared(model: str, rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "name": words.shortened(model),
        "where": [words.shortened(words.where(row)) for row in rows],
        "rank": [row["rank"] for row in rows],
        "usd": [words.number(row["blended_usd_per_million"]) for row in rows],
        "suspect": [row["is_suspect"] for row in rows],
    }


def tiers(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """For each model whose input has tiers, what a token of the prompt costs from which size on, and where."""
    key = ("source", "model_id", "provider", "region", "plan", "currency")
    offers: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        if row["meter"] == "input_token":
            offers.setdefault(tuple(row[name] for name in key), []).append(row)
    alike: dict[tuple[Any, ...], list[Row]] = {}
    for steps in offers.values():
        first = steps[0]
        name = first["model_id"].rpartition("/")[2]
        alike.setdefault((name, first["currency"], tuple(_stairs(steps).items())), []).append(first)
    return [_line(name, currency, dict(stairs), hosts) for (name, currency, stairs), hosts in alike.items()]


def _stairs(rows: Iterable[Row]) -> dict[int, str]:
    prices: dict[int, str] = {}
    for row in sorted(rows, key=itemgetter("tier_start")):
        # Tiers that cost the same as the one below are no cliffs, and not here: what is below the first is the base.
        prices.setdefault(row["lower_start"] if prices else 0, spoken.amount(row["lower_unit_price"], row["meter"]))
        prices[row["tier_start"]] = spoken.amount(row["unit_price"], row["meter"])
    return prices


def _line(name: str, currency: str, stairs: dict[int, str], hosts: Sequence[Row]) -> dict[str, Any]:
    where = words.where(hosts[0]) if len(hosts) == 1 else f"{len(hosts)} hosts"
    return {
        "name": words.shortened(f"{name}, {where}"),
        "currency": currency,
        "starts": list(stairs),
        "prices": list(stairs.values()),
    }


def _by(rows: Iterable[Row], name: str) -> list[tuple[Any, list[Row]]]:
    """The rows in groups of those that are alike in one column and come together."""
    return [(value, list(group)) for value, group in groupby(rows, key=itemgetter(name))]


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _midnight(day: date) -> int:
    return _seconds(datetime(day.year, day.month, day.day, tzinfo=UTC))
