"""A price over time in one line of characters: as high as it is dear, as wide as it lasted.

Heights are in proportion to the price, from zero, so that lines with the same ``highest`` compare. The lowest character
stands for free and for nothing else; blanks are times without a price.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple, TypeAlias

Amount: TypeAlias = Decimal | Fraction


class Stretch(NamedTuple):
    """An amount that held during ``[begin, end)``; null when it varies. An open ``end`` is null."""

    begin: datetime
    end: datetime | None
    amount: Amount | None


class Marks(NamedTuple):
    """What a line is made of: characters from free to dearest, one for what varies, one for no price."""

    levels: str
    varies: str = "~"
    nothing: str = " "


BLOCKS = Marks("▁▂▃▄▅▆▇█")
DIGITS = Marks("01234567")
"""For a terminal that has no blocks."""


def sparkline(
    stretches: Sequence[Stretch],
    first: datetime,
    last: datetime,
    *,
    highest: Amount,
    width: int,
    marks: Marks = BLOCKS,
) -> str:
    """Return the line from ``first`` to ``last``, ``width`` characters wide.

    Each character shows what held at the end of its time, or, where nothing did, what began and ended within it: a
    price of an hour in a year is seen.

    ``stretches`` are in order of time and never overlap; no amount is beyond ``highest``.
    """
    begins = [each.begin for each in stretches]
    ends = [first + (last - first) * place // width for place in range(1, width + 1)]
    times = pairwise([first - datetime.resolution, *ends])
    return "".join(_mark(_held(stretches, begins, end), since, end, highest, marks) for since, end in times)


def height(amount: Amount, highest: Amount, levels: int) -> int:
    """The level of an amount: 0 for free alone, the last one for the highest; the dearer never stands lower."""
    if not amount:
        return 0
    share = Fraction(amount) * (levels - 1) / Fraction(highest)
    return -(-share.numerator // share.denominator)


def _held(stretches: Sequence[Stretch], begins: Sequence[datetime], moment: datetime) -> Stretch | None:
    """The last stretch that had begun: of those that never overlap only this one can hold."""
    place = bisect_right(begins, moment)
    return stretches[place - 1] if place else None


def _mark(held: Stretch | None, since: datetime, end: datetime, highest: Amount, marks: Marks) -> str:
    if held is None or (held.end is not None and held.end <= end and held.begin <= since):
        return marks.nothing
    if held.amount is None:
        return marks.varies
    return marks.levels[height(held.amount, highest, len(marks.levels))]
