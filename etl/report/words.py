"""Facts as a page says them: every amount exact and with its unit, every moment in UTC."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from markupsafe import Markup, escape

from etl import spoken
from etl.domain.meters import plain

MINUS = "\N{MINUS SIGN}"

LONGEST = 120
"""Characters of a text of a gateway that a page shows."""

METERS = {
    "input_token": "input",
    "output_token": "output",
    "cache_read_token": "cache read",
    "cache_write_token": "cache write",
}
"""Meters that everybody knows by a shorter name."""

DIRECTIONS = {"decreased": "cut", "increased": "rise", "added": "new", "removed": "gone", "restated": "restated"}


def shortened(text: object) -> str:
    """A text of a gateway, at a length that can be shown, without characters that turn the text around it."""
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(text))
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def cell(text: object) -> Markup:
    """A text of a gateway in a table, where it may be broken behind the signs that take ids apart."""
    # As Markup, the text would escape the signs that are put in.
    return Markup(re.sub(r"([/_:])(?=.)", r"\1<wbr>", str(escape(shortened(text)))))  # noqa: S704  escaped


def moment(value: datetime | None) -> str:
    """A moment to the minute."""
    return f"{value:%Y-%m-%d %H:%M}" if value else ""


def day(value: date | None) -> str:
    """A day."""
    return f"{value:%Y-%m-%d}" if value else ""


def span(seconds: int | None) -> str:
    """Return how long so many seconds are, in the largest unit that fits."""
    if seconds is None:
        return ""
    units = (("d", 86_400), ("h", 3_600), ("min", 60))
    return next((f"{seconds // size:,} {name}" for name, size in units if seconds >= size), f"{seconds} s")


def number(value: int | Decimal | None) -> str:
    """A count, or an exact amount, in plain digits."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{plain(value):f}"


def meter(row: Mapping[str, Any]) -> str:
    """The meter; with it the tier and the plan where they are not the usual ones."""
    tier = f" from {row['tier_start']:,} tokens" if row["tier_start"] else ""
    plan = "" if row["plan"] == "standard" else f" ({row['plan']})"
    return f"{meter_name(row['meter'])}{tier}{plan}"


def meter_name(name: str) -> str:
    """A meter in words."""
    return METERS.get(name, name.removesuffix("_token").replace("_", " "))


def where(row: Mapping[str, Any]) -> str:
    """Who offers it: the source, with the provider and the region where there is more to say."""
    provider = "" if row["provider"] == row["source"] else f" · {row['provider']}"
    region = "" if row["region"] == "*" else f" · {row['region']}"
    return f"{row['source']}{provider}{region}"


def unit(row: Mapping[str, Any]) -> str:
    """What its amounts are for, such as USD per 1M tokens."""
    return f"{row['currency']} per {spoken.unit(row['meter'])}"


def price(row: Mapping[str, Any], which: str) -> str:
    """The old, new or lower price of a row: an exact amount, its state, or none."""
    amount, state = row[f"{which}unit_price"], row.get(f"{which}state")
    if amount is None:
        return str(state or "none")
    return spoken.amount(amount, row["meter"])


def effect(ratio: Decimal | None) -> str:
    """By how much a price changed: in percent, or as a factor where percents are no longer read."""
    if ratio is None:
        return ""
    if Decimal("0.1") < ratio < 10:
        percent = (ratio - 1) * 100
        if 0 < abs(percent) < Decimal("0.01"):
            return "≈ 0 %"  # The noise of doubles that some catalogs send.
        shown = f"{percent:.1f}".removesuffix(".0") if abs(percent) >= 1 else _figures(percent)
        return f"{'+' if percent > 0 else ''}{shown.replace('-', MINUS)} %"
    return f"× {_figures(ratio)}" if ratio > 1 else f"÷ {_figures(1 / ratio)}"


def _figures(value: Decimal) -> str:
    """A number with three significant digits, in plain digits."""
    return f"{plain(Decimal(f'{value:.3g}')):f}"


def change(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of ``changes``, with what is said of it."""
    labels = [name for name in ("suspect", "correction", "reversal") if row[f"is_{name}"]]
    restored = {("free", "priced"): "no longer free", ("priced", "free"): "now free"}
    return {
        **row,
        "direction": DIRECTIONS[row["change"]],
        "effect": effect(row["ratio"]) or restored.get((row["old_state"], row["new_state"]), ""),
        "labels": labels,
    }


def at(seconds: int) -> str:
    """A moment of Unix time."""
    return moment(datetime.fromtimestamp(seconds, UTC))


STATES = {"absent": "not published", "unseen": "not observed", "dynamic": "dynamic: it varies"}


def told(point: Sequence[Any]) -> str:
    """What a point of a price history says, as quoted."""
    _, quoted, *rest = point
    if quoted in STATES:
        return STATES[quoted]
    return f"{quoted} {rest[0] if rest else 'USD'}{' (free)' if quoted == '0' else ''}"


def dollars(point: Sequence[Any]) -> str:
    """What a point of a price history says in dollars, where it was quoted in another currency."""
    return "" if len(point) < 4 else f"{point[3]} USD" if point[3] is not None else "no rate"
