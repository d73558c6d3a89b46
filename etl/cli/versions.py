"""The versions of prices as a person reads them: below each offer its chart, and what it asked from when to when."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.text import Text

from etl import spoken
from etl.cli import grid, output
from etl.cli.lettering import has, legible
from etl.domain.meters import USD
from etl.sparkline import BLOCKS, DIGITS, Stretch, sparkline

COLUMNS = ("from", "to", "price", "change", "in USD")
LOOK = output.Look(
    paint={"change": output.moves("change"), "price": output.words("price", {"free": "green", "varies": "yellow"})},
    right=("price", "change", "in USD"),
)

WIDTH = 48
"""The widest chart; a day of a terminal of 80 columns stands at each of its ends."""

_INDENT = "  "

Row = Mapping[str, Any]


Seen = Mapping[str, datetime]
"""When each source was last seen; beyond that nothing is known of its prices."""


def show(title: str, rows: Sequence[Row], seen: Seen) -> None:
    """Print the versions, given by meter and offer in order of time."""
    console = grid.stdout()
    console.print(Text(legible(title), style="bold"))
    span = axis(rows, seen)
    for meter, group in groupby(rows, key=lambda row: row["meter"]):
        for line in _meter(console, meter, list(group), span, seen):
            console.print(line)
    grid.deliver(console)


def axis(rows: Sequence[Row], seen: Seen) -> tuple[datetime, datetime]:
    """From the first of the versions to the last time that any of their sources was seen."""
    return min(row["valid_from"] for row in rows), max(seen[row["source"]] for row in rows)


def offers(rows: Sequence[Row]) -> list[list[Row]]:
    """The versions of each offer."""
    return [list(group) for _, group in groupby(rows, key=_key)]


def name(offer: Row, *, with_model: bool = False) -> str:
    """Whose offer it is, with what is not as usual."""
    parts = [offer["source"]]
    parts += [offer["model_id"]] if with_model else []
    parts += [offer["provider"]] if offer["provider"] != offer["source"] else []
    parts += [offer[key] for key, usual in (("region", "*"), ("plan", "standard")) if offer[key] != usual]
    parts += [f"from {offer['tier_start']} tokens"] if offer["tier_start"] else []
    return ", ".join(parts)


def charts(
    rows: Sequence[Row], seen: Seen, width: int, span: tuple[datetime, datetime] | None = None
) -> Callable[[Sequence[Row]], str]:
    """Who draws an offer on the scale of all these versions of one meter; ``span`` is their own axis if not given."""
    dearest, marks = scales(rows), BLOCKS if has(BLOCKS.levels) else DIGITS
    first, last = span or axis(rows, seen)

    def stretch(row: Row) -> Stretch:
        scale, amount = _scaled(row)
        share = None if amount is None else Fraction(amount) / (Fraction(dearest[scale]) or 1)
        # At the moment itself the source was seen.
        return Stretch(row["valid_from"], row["valid_to"] or seen[row["source"]] + datetime.resolution, share)

    return lambda offer: sparkline(
        [stretch(row) for row in offer], first, last, highest=Fraction(1), width=width, marks=marks
    )


def scales(rows: Sequence[Row]) -> dict[str, Decimal]:
    """The dearest price in dollars, and in each currency that has no rate."""
    dearest: dict[str, Decimal] = {}
    for scale, amount in map(_scaled, rows):
        if amount is not None:
            dearest[scale] = max(amount, dearest.get(scale, amount))
    return dearest


def _scaled(row: Row) -> tuple[str, Decimal | None]:
    """A price in the unit in which it compares."""
    if row["unit_price_usd"] is not None:
        return USD, row["unit_price_usd"]
    return row["currency"], row["unit_price"]


def _key(row: Row) -> tuple[Any, ...]:
    return tuple(row[part] for part in ("source", "model_id", "provider", "region", "plan", "meter", "tier_start"))


def _meter(
    console: Console, meter: str, rows: Sequence[Row], span: tuple[datetime, datetime], seen: Seen
) -> Iterator[Text]:
    """A head, then each offer: its name, its chart, its versions."""
    draw = charts(rows, seen, max(1, min(WIDTH, console.width - 2 * len("YYYY-MM-DD  "))), span)
    first, last = (f"{moment:%Y-%m-%d}" for moment in span)
    pairs = [pair for offer in offers(rows) for pair in zip([None, *offer], offer, strict=False)]
    told = [_told(before, row) | {"to": _end(row, seen)} for before, row in pairs]
    head, *lines = grid.lines(told, _columns(told), LOOK)
    yield Text()
    yield Text(_head(meter, rows), style="bold")
    yield Text(_INDENT) + head
    several = _has_several_models(rows)
    versions = iter(lines)
    for offer in offers(rows):
        yield Text(legible(name(offer[0], with_model=several)), style="cyan")
        yield Text.assemble(_INDENT, (f"{first} ", "dim"), draw(offer), (f" {last}", "dim"))
        yield from (Text(_INDENT) + next(versions) for _ in offer)


def _head(meter: str, rows: Sequence[Row]) -> str:
    """The meter, for how much of it the prices are, and what the top of its charts stands for."""
    dearest = [f"{spoken.amount(amount, meter)} {scale}" for scale, amount in scales(rows).items() if amount]
    top = (BLOCKS if has(BLOCKS.levels) else DIGITS).levels[-1]
    scale = f" ({top} is {', '.join(dearest)})" if dearest else ""
    return f"{meter}{' per 1M' if spoken.is_tiny(meter) else ''}{scale}"


def _has_several_models(rows: Sequence[Row]) -> bool:
    """Whether a source lists the model more than once."""
    ids = {(row["source"], row["model_id"]) for row in rows}
    return len(ids) > len({source for source, _ in ids})


def _columns(told: Sequence[Row]) -> list[str]:
    """Every column but those that would be empty: no change without one, no dollars beside dollars."""
    return [column for column in COLUMNS if any(row[column] for row in told)]


def _told(before: Row | None, row: Row) -> dict[str, str]:
    is_foreign = row["currency"] != USD and row["unit_price_usd"] is not None
    return {
        "from": _minute(row["valid_from"]),
        "price": price(row),
        "change": _change(before, row) if before else "",
        "in USD": spoken.amount(row["unit_price_usd"], row["meter"]) if is_foreign else "",
    }


def _end(row: Row, seen: Seen) -> str:
    """Return when a price ended; of one that did not, when its source was last seen: nothing later is known of it."""
    return _minute(row["valid_to"]) if row["valid_to"] else f"last seen {seen[row['source']]:%Y-%m-%d}"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def price(row: Row) -> str:
    """The price with its currency, or what there is instead of one."""
    if row["unit_price"] is None:
        return "varies"
    return f"{spoken.amount(row['unit_price'], row['meter'])} {row['currency']}" if row["unit_price"] else "free"


def _change(before: Row, row: Row) -> str:
    """Return by how much it moved, with its sign where that is in percent."""
    old, new = before["unit_price"], row["unit_price"]
    if not old or new is None or before["currency"] != row["currency"]:
        return ""
    if new == old:
        return "same"
    if not new:
        return "-100%"
    size = spoken.size(new / old)
    return f"{'+' if new > old else '-'}{size}" if size.endswith("%") else size
