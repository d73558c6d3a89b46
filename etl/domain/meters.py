"""The meters that are counted and billed, and the one place where units are converted.

Amounts are ``Decimal`` and stay exact; nothing here, or anywhere, passes through a float.
"""

from decimal import (
    MAX_EMAX,
    MAX_PREC,
    MIN_EMIN,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from enum import StrEnum
from fractions import Fraction

import msgspec


class Meter(StrEnum):
    """The one kind of thing that a price is for."""

    INPUT_TOKEN = "input_token"
    OUTPUT_TOKEN = "output_token"
    REASONING_TOKEN = "reasoning_token"
    CACHE_READ_TOKEN = "cache_read_token"
    CACHE_READ_IMPLICIT_TOKEN = "cache_read_implicit_token"
    CACHE_WRITE_TOKEN = "cache_write_token"
    CACHE_WRITE_5M_TOKEN = "cache_write_5m_token"
    CACHE_WRITE_1H_TOKEN = "cache_write_1h_token"
    CACHE_STORAGE_TOKEN_HOUR = "cache_storage_token_hour"
    INPUT_IMAGE = "input_image"
    OUTPUT_IMAGE = "output_image"
    REQUEST = "request"
    WEB_SEARCH = "web_search"
    INPUT_CHARACTER = "input_character"
    INPUT_TEXT_BYTE = "input_text_byte"
    INPUT_IMAGE_TOKEN = "input_image_token"
    CACHE_READ_IMAGE_TOKEN = "cache_read_image_token"
    OUTPUT_IMAGE_TOKEN = "output_image_token"
    INPUT_AUDIO_TOKEN = "input_audio_token"
    CACHE_READ_AUDIO_TOKEN = "cache_read_audio_token"
    OUTPUT_AUDIO_TOKEN = "output_audio_token"
    INPUT_VIDEO_TOKEN = "input_video_token"
    CACHE_READ_VIDEO_TOKEN = "cache_read_video_token"
    OUTPUT_VIDEO_TOKEN = "output_video_token"
    INPUT_FILE_TOKEN = "input_file_token"
    CACHE_READ_FILE_TOKEN = "cache_read_file_token"
    OUTPUT_FILE_TOKEN = "output_file_token"
    INPUT_AUDIO_SECOND = "input_audio_second"
    OUTPUT_AUDIO_SECOND = "output_audio_second"


class PriceState(StrEnum):
    """What is known of a published price; no record at all means: not published."""

    PRICED = "priced"
    FREE = "free"
    DYNAMIC = "dynamic"


USD = "USD"
CREDIT = "CREDIT"

ABSURD = Decimal("1e12")
"""No unit of anything costs more: such a figure is a mistake of the catalog (contract, quarantine)."""

_FINEST = -120
"""Decimal places beyond which a quoted figure is taken for noise; real catalogs go to 23."""

_DIGITS = Context(prec=28, rounding=ROUND_HALF_EVEN)
_DOUBLE = Context(prec=15, rounding=ROUND_HALF_EVEN)
_WIDE = Context(prec=1_000, rounding=ROUND_HALF_EVEN)
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
"""For whatever takes no more digits than it is given: nothing is rounded."""
_ENDING = Context(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
"""For divisions: what does not end within so many digits is refused instead of rounded."""


class AmountError(ValueError):
    """A quoted figure that is no amount of money; the text says why."""


class Quote(msgspec.Struct, frozen=True):
    """A price of one unit: ``unit_price`` is null exactly when ``state`` is dynamic."""

    state: PriceState
    unit_price: Decimal | None

    def __post_init__(self) -> None:
        if self.state is not _state(self.unit_price):
            raise ValueError(f"{self.state} price with unit_price {self.unit_price}")


def _state(unit_price: Decimal | None) -> PriceState:
    if unit_price is None:
        return PriceState.DYNAMIC
    return PriceState.PRICED if unit_price else PriceState.FREE


DYNAMIC = Quote(PriceState.DYNAMIC, None)

VARIES = -1
"""What a router quotes where its gateway says so: the price depends on the model that it picks."""


def amount(quoted: object) -> Decimal:
    """The exact, finite number that a JSON number or a numeric string quotes; negative is allowed.

    Raises ``AmountError`` for everything else: NaN, infinities, booleans, text, containers.
    """
    value = quoted if type(quoted) is Decimal else _number(quoted)
    if not value.is_finite():
        raise AmountError(f"{quoted!r:.80} is not finite")
    if value and not _FINEST <= value.adjusted() <= -_FINEST:
        raise AmountError(f"{quoted!r:.80} is absurd")
    if int(value.as_tuple().exponent) < 2 * _FINEST:
        raise AmountError(f"{quoted!r:.80} has absurdly many digits")
    return value


def _number(quoted: object) -> Decimal:
    if isinstance(quoted, bool) or not isinstance(quoted, int | Decimal | str):
        raise AmountError(f"{quoted!r:.80} is not a number")
    # Decimal itself would take 1_0 for ten, and the digits of other scripts.
    if isinstance(quoted, str) and ("_" in quoted or not quoted.isascii()):
        raise AmountError(f"{quoted!r:.80} is not a number")
    try:
        return Decimal(quoted.strip() if isinstance(quoted, str) else quoted)
    except InvalidOperation:
        raise AmountError(f"{quoted!r:.80} is not a number") from None


def out_of_double(value: Decimal) -> Decimal:
    """A figure that was computed in doubles, rounded to the 15 significant digits a double can keep."""
    return _DOUBLE.plus(value)


def rounded(value: Decimal, places: int) -> Decimal:
    """A noisy figure rounded half to even to so many decimals, however large it is."""
    return plain(value.quantize(Decimal(1).scaleb(-places), context=_WIDE))


def multiply(value: Decimal, factor: Decimal) -> Decimal:
    """The exact product, however many digits it takes."""
    return plain(_EXACT.multiply(value, factor))


def quote(value: Decimal, *, per: Decimal | int = 1) -> Quote:
    """The price of one unit when ``per`` units cost ``value``; 0 is free.

    A division that ends is exact; one that does not keeps 28 significant digits. Raises what ``require`` raises.
    """
    require(value, per=per)
    price = _quotient(value, per)
    return Quote(_state(price), price)


def require(value: Decimal, *, per: Decimal | int) -> None:
    """Raises ``AmountError`` for no price: when it is negative, beyond 1e12 per unit, or ``per`` is not positive."""
    if per <= 0:
        raise AmountError(f"a price per {per} units")
    if value < 0:
        raise AmountError(f"{value} is negative")
    if value > _EXACT.multiply(ABSURD, per):
        raise AmountError(f"{value} is beyond {ABSURD} per unit")


def plain(value: Decimal) -> Decimal:
    """The same number without exponent and trailing zeros: ``2.50e-06`` becomes ``0.0000025``."""
    if not value.is_finite():
        raise AmountError(f"{value} is not finite")
    if not value:
        return Decimal(0)
    shortest = value.normalize(_EXACT)
    # Only from ten on can there be zeros before the point, which are spelled out.
    if shortest.adjusted() > 0 and shortest == shortest.to_integral_value():
        return shortest.quantize(Decimal(1), context=_EXACT)
    return shortest


def _quotient(value: Decimal, per: Decimal | int) -> Decimal:
    """The plain decimal of a division: exact when it ends."""
    try:
        return plain(_ENDING.divide(value, per))
    except Inexact:
        return _decimal(Fraction(value) / Fraction(per))


def _decimal(ratio: Fraction) -> Decimal:
    """The plain decimal of a ratio: exact when it ends, however many digits that takes."""
    twos, rest = _strip(ratio.denominator, 2)
    fives, rest = _strip(rest, 5)
    if rest != 1:
        return plain(_DIGITS.divide(Decimal(ratio.numerator), Decimal(ratio.denominator)))
    places = max(twos, fives)
    return plain(Decimal(ratio.numerator * 10**places // ratio.denominator).scaleb(-places, _EXACT))


def _strip(number: int, prime: int) -> tuple[int, int]:
    """How often ``prime`` divides ``number``, and what is left."""
    times = 0
    while number % prime == 0:
        number //= prime
        times += 1
    return times, number
