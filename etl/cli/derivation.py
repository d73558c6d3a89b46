"""How a price follows from quoted text, as one line of arithmetic that a person can follow."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from etl.domain.evidence import AS_QUOTED
from etl.domain.meters import VARIES, Meter, amount
from etl.explanation import Derivation, Figure

TIMES = "\N{MULTIPLICATION SIGN}"


def equation(derivation: Derivation, meter: Meter, tier_start: int) -> str:
    """The arithmetic with its result, and in brackets where its figures come from when they are not the price's own."""
    per, unit_price = units(derivation), derivation.quote.unit_price
    if unit_price is None:
        return f"{VARIES} stands for a price that depends on the model that is picked: {derivation.quote.state}"
    left = f" {TIMES} ".join(_operand(derivation, figure) for figure in derivation.figures)
    left += "" if per == 1 else f" ÷ {per:f}"
    sign = "=" if Fraction(unit_price) * Fraction(per) == _product(derivation) else "≈"
    line = f"{left} {sign} {unit_price:f} {derivation.currency} per {meter}"
    notes = "; ".join(_notes(derivation, tier_start))
    return f"{line} ({notes})" if notes else line


def spelled(figure: Figure) -> str:
    """The number as it is spelled, without the quotes of a string."""
    value = figure.value
    return value.strip() if isinstance(value, str) else figure.text


def _operand(derivation: Derivation, figure: Figure) -> str:
    """A figure as it is spelled; with its rounding where that changes it."""
    rounding, value = derivation.evidence.rounding, amount(figure.value)
    is_changed = rounding is not AS_QUOTED and rounding.of(value) != value
    return f"{spelled(figure)} rounded to {rounding.name}" if is_changed else spelled(figure)


def units(derivation: Derivation) -> Decimal:
    """For how many units the quoted price is."""
    return amount(derivation.per.value if isinstance(derivation.per, Figure) else derivation.per)


def _product(derivation: Derivation) -> Fraction:
    product = Fraction(1)
    for figure in derivation.figures:
        product *= Fraction(derivation.evidence.rounding.of(amount(figure.value)))
    return product


def _notes(derivation: Derivation, tier_start: int) -> Iterator[str]:
    priced, *multipliers = derivation.figures
    what = str(priced.meter) if multipliers else "price"
    for multiplier in multipliers:
        yield f"multiplier of {priced.meter}" + (f" of tier {priced.tier_start}" if priced.tier_start else "")
        if multiplier.tier_start != tier_start:
            yield f"multiplier inherited from tier {multiplier.tier_start}"
    if priced.tier_start != tier_start:
        yield f"{what} inherited from tier {priced.tier_start}"
