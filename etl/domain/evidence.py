"""What a price was made of: where its figures stand, and the arithmetic that leads from them to one unit.

It is kept beside a price while a catalog is in memory and never stored: the landed bytes give it again at any time.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce

import msgspec

from etl.domain.meters import DYNAMIC, VARIES, Meter, Quote, amount, multiply, out_of_double, quote, rounded


@dataclass(frozen=True, slots=True)
class Rounding:
    """What is done to each figure before anything is computed with it, to take the noise of doubles away."""

    name: str
    of: Callable[[Decimal], Decimal]


AS_QUOTED = Rounding("none", lambda value: value)
TO_A_DOUBLE = Rounding("15 significant digits", out_of_double)
TO_NINE_DECIMALS = Rounding("9 decimals", lambda value: rounded(value, 9))


class Citation(msgspec.Struct, frozen=True):
    """One figure that a price is made of: the JSON pointer to it, and the meter and the tier that it stands for."""

    pointer: str
    meter: Meter
    tier_start: int = 0


class Evidence(msgspec.Struct, frozen=True):
    """Why a unit costs what it costs: the product of the cited figures, each rounded, divided by ``per``.

    All figures stand on one page. The first is a price, the others multiply it. ``per`` is a number of units, or the
    JSON pointer to one; it is not rounded.
    """

    page: int
    citations: tuple[Citation, ...]
    per: int | str = 1
    rounding: Rounding = AS_QUOTED


def price_of(figures: Iterable[object], *, per: object, rounding: Rounding) -> Quote:
    """The price of one unit, from the figures that its evidence cites. Raises ``AmountError``.

    A lone -1 is a price that varies: where a source does not mean that by it, no price cites it.
    """
    values = [rounding.of(amount(figure)) for figure in figures]
    if values == [VARIES]:
        return DYNAMIC
    return quote(reduce(multiply, values), per=amount(per))
