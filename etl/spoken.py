"""Changes as people say them: prices per million where one is too small to read, and what became of them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from etl.domain.meters import multiply, plain

COLUMNS = ("when", "source", "model", "provider", "meter", "change", "price")

MILLION = Decimal(1_000_000)

_TENTH = Decimal("0.1")
_LEAST = Decimal("0.001")
"""Percent below which a move is the noise of doubles that some catalogs send."""

WITHDRAWN = "no longer believed: "
"""How the change of a retraction begins."""

_TINY = ("_token", "_token_hour", "_character", "_byte")
"""Ends of the meters that are quoted per million."""

_UNITS = {
    "_token": "1M tokens",
    "_token_hour": "1M token hours",
    "_character": "1M characters",
    "_byte": "1M bytes",
    "_image": "image",
    "_second": "second",
    "request": "request",
    "web_search": "search",
}
"""What an amount is said for, by the end of the meter."""


def unit(meter: str) -> str:
    """What the amounts of a meter are said for: a million of what costs too little to read."""
    return next((said for end, said in _UNITS.items() if meter.endswith(end)), "unit")


def spoken(row: Mapping[str, Any]) -> dict[str, str]:
    """One row of the feed of changes in ``COLUMNS``."""
    return {
        "when": f"{row['changed_at']:%Y-%m-%d %H:%M}",
        "source": row["source"],
        "model": row["model_id"],
        "provider": _provider(row),
        "meter": _meter(row),
        "change": _change(row),
        "price": _price(row) if row["meter"] else "",
    }


def _provider(row: Mapping[str, Any]) -> str:
    region = "" if row["region"] in (None, "*") else f" {row['region']}"
    return f"{row['provider'] or ''}{region}"


def _meter(row: Mapping[str, Any]) -> str:
    """The meter; with it the tier and the plan where they are not the usual ones."""
    tier = f" from {row['tier_start']}" if row["tier_start"] else ""
    plan = "" if row["plan"] in (None, "standard") else f" ({row['plan']})"
    return f"{row['meter'] or ''}{tier}{plan}"


def _change(row: Mapping[str, Any]) -> str:
    withdrawn = WITHDRAWN if row["event"] == "retraction" else ""
    if not row["meter"]:
        return f"{withdrawn}model {row['change']}"
    doubt = " (suspect)" if row["is_suspect"] else ""
    moved = f" {size(row['ratio'])}" if row["ratio"] else ""
    return f"{withdrawn}{row['change']}{moved}{doubt}"


def sentence(row: Mapping[str, Any]) -> str:
    """One row of the feed of changes in one line."""
    said = spoken(row)
    what = " ".join(said[name] for name in ("source", "model", "provider", "meter") if said[name])
    return f"{what}: {said['change']}" + (f", {said['price']}" if said["price"] else "")


def size(ratio: Decimal) -> str:
    """Return by how much a price moved, either way: in percent, or as a factor where percents are no longer read.

    27000 → 27 is ÷1000, which "100%" would hide, and a move too small for one decimal is never "0%".
    """
    if not _TENTH < ratio < 1 / _TENTH:
        return f"x{_figures(ratio)}" if ratio > 1 else f"÷{_figures(1 / ratio)}"
    percent = abs(ratio - 1) * 100
    return f"{_figures(percent)}%" if percent >= _LEAST else f"<{_LEAST}%"


def _figures(value: Decimal) -> str:
    """Return a number in plain digits: with one decimal, or one significant digit where that would be none."""
    return f"{plain(Decimal(f'{value:.1f}' if value >= _TENTH else f'{value:.1g}')):f}"


def _price(row: Mapping[str, Any]) -> str:
    return f"{step(row)} {row['currency']}{' per 1M' if is_tiny(row['meter']) else ''}"


def step(row: Mapping[str, Any]) -> str:
    """From the old price to the new one, without the currency, unless it was another one."""
    old = _amount(row["old_state"], row["old_unit_price"], row["meter"])
    old += f" {row['old_currency']}" if row["old_currency"] else ""
    new = _amount(row["new_state"], row["new_unit_price"], row["meter"])
    return f"{old} → {new}"


def is_tiny(meter: str) -> bool:
    """Whether people quote the meter per million."""
    return meter.endswith(_TINY)


def amount(unit_price: Decimal, meter: str) -> str:
    """The price of a unit, or of a million where one is too small to read, with every digit that it has."""
    return f"{multiply(unit_price, MILLION) if is_tiny(meter) else plain(unit_price):f}"


def _amount(state: str | None, unit_price: Decimal | None, meter: str) -> str:
    return state or "none" if unit_price is None else amount(unit_price, meter)
