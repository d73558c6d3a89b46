"""Money: exact where it can be, 28 digits where it cannot, never through a double."""

from decimal import MAX_PREC, Context, Decimal
from fractions import Fraction
from itertools import count

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from etl.domain.meters import (
    ABSURD,
    DYNAMIC,
    AmountError,
    Meter,
    PriceState,
    Quote,
    amount,
    multiply,
    out_of_double,
    plain,
    quote,
    rounded,
)

AMOUNTS = st.decimals(min_value=0, max_value=10**6, allow_nan=False, allow_infinity=False, places=12)

UNITS = st.integers(1, 10**9)

EXACT = Context(prec=MAX_PREC)


def _ends(ratio: Fraction) -> bool:
    """Whether its decimal ends: only twos and fives divide the denominator."""
    rest = ratio.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def _is_plain(value: Decimal) -> bool:
    """Whether it has neither an exponent above zero nor decimals that say nothing."""
    _, digits, exponent = value.as_tuple()
    return exponent == 0 or (isinstance(exponent, int) and exponent < 0 and digits[-1] != 0)


@given(value=AMOUNTS, per=UNITS)
def test_a_division_is_exact_when_it_ends_and_has_28_digits_when_it_does_not(value: Decimal, per: int) -> None:
    exact = Fraction(value) / per
    price = quote(value, per=per).unit_price
    assert price is not None
    assert _is_plain(price)
    if _ends(exact):
        assert Fraction(price) == exact
    else:
        assert len(price.as_tuple().digits) <= 28
        assert abs(Fraction(price) - exact) <= exact / 10**27 / 2


@given(value=AMOUNTS, factor=AMOUNTS)
def test_a_product_is_exact(value: Decimal, factor: Decimal) -> None:
    product = multiply(value, factor)
    assert Fraction(product) == Fraction(value) * Fraction(factor)
    assert _is_plain(product)


LONG = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent, EXACT), st.integers(0, 10**100), st.integers(-120, 0)
)
"""Figures with more digits than any catalog has, some with zeros at their end."""


def _by_fractions(ratio: Fraction) -> Decimal:
    """The decimal of a ratio with nothing but whole numbers: exact when it ends, else 28 digits, half to even."""
    if _ends(ratio):
        places = next(places for places in count() if 10**places % ratio.denominator == 0)
        return Decimal(ratio.numerator * 10**places // ratio.denominator).scaleb(-places, EXACT)
    places = 28 - len(str(int(ratio))) if ratio >= 1 else 28 + next(n for n in count() if ratio * 10 ** (n + 1) >= 1)
    return Decimal(round(ratio * 10**places)).scaleb(-places, EXACT)


@given(value=LONG | AMOUNTS, per=(LONG | AMOUNTS | UNITS.map(Decimal)).filter(bool))
@example(value=Decimal(2), per=Decimal(3))
@example(value=Decimal(1), per=Decimal(2) ** 80)
@example(value=Decimal("0.1"), per=Decimal("1e-120"))
def test_a_division_is_what_fractions_say(value: Decimal, per: Decimal) -> None:
    expected = _by_fractions(Fraction(value) / Fraction(per))
    if expected > ABSURD:
        with pytest.raises(AmountError, match="beyond"):
            quote(value, per=per)
        return
    price = quote(value, per=per).unit_price
    assert price is not None
    assert price == expected
    assert _is_plain(price)


@given(value=LONG | AMOUNTS, factor=(LONG | AMOUNTS).map(lambda value: -value) | LONG)
def test_a_long_product_is_what_fractions_say(value: Decimal, factor: Decimal) -> None:
    product = multiply(value, factor)
    assert product == _by_fractions(Fraction(value) * Fraction(factor))
    assert _is_plain(product)


@given(value=st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_the_plain_spelling_is_the_same_number(value: Decimal) -> None:
    assume(value == 0 or abs(value.adjusted()) < 200)
    assert plain(value) == value
    assert _is_plain(plain(value))


@given(value=st.floats(min_value=1e-12, max_value=1e6))
def test_what_went_through_a_double_keeps_15_digits(value: float) -> None:
    found = out_of_double(Decimal(value))
    assert len(found.as_tuple().digits) <= 15
    assert abs(Fraction(found) - Fraction(value)) <= Fraction(value) / 10**14


@given(millionths=st.integers(1, 10**9))
def test_a_price_that_was_multiplied_in_doubles_comes_back(millionths: int) -> None:
    quoted = Decimal(millionths).scaleb(-6)
    assert quote(out_of_double(Decimal(repr(float(quoted) * 1e6 / 1e6)))).unit_price == plain(quoted)


@pytest.mark.parametrize(
    ("value", "per", "price"),
    [
        ("0.30000000000000004", 1_000_000, "0.0000003"),
        ("1.0000000000000001e-7", 1, "0.0000001"),
        ("4.199999999999999", 1_000, "0.0042"),
    ],
)
def test_the_noise_of_doubles_is_rounded_away(value: str, per: int, price: str) -> None:
    assert quote(out_of_double(Decimal(value)), per=per).unit_price == Decimal(price)


@pytest.mark.parametrize(
    ("value", "places", "found"),
    [("4.199999999999999", 9, "4.2"), ("0.0000000005", 9, "0"), ("0.0000000015", 9, "0.000000002"), ("7", 9, "7")],
)
def test_rounding_to_places_goes_half_to_even(value: str, places: int, found: str) -> None:
    assert f"{rounded(Decimal(value), places):f}" == found


def test_one_third_has_28_digits() -> None:
    assert str(quote(Decimal(1), per=3).unit_price) == "0." + "3" * 28


@pytest.mark.parametrize("spelling", ["0.0000025", "0.0000025000", "2.5e-06", " 2.5E-6 ", "25e-7"])
def test_one_price_has_many_spellings(spelling: str) -> None:
    assert str(quote(amount(spelling)).unit_price) == "0.0000025"


@pytest.mark.parametrize("zero", ["0", "0.0000000000", "-0", "0e9", 0, Decimal("0.0")])
def test_zero_is_a_price_and_it_is_free(zero: object) -> None:
    assert quote(amount(zero)) == Quote(PriceState.FREE, Decimal(0))


def test_the_smallest_published_price_is_not_zero() -> None:
    assert quote(amount("0.00000000000000000000001")) == Quote(PriceState.PRICED, Decimal("1e-23"))


def test_dynamic_has_no_amount() -> None:
    assert (DYNAMIC.state, DYNAMIC.unit_price) == (PriceState.DYNAMIC, None)


@pytest.mark.parametrize(
    ("state", "price"),
    [
        (PriceState.DYNAMIC, Decimal(1)),
        (PriceState.PRICED, None),
        (PriceState.PRICED, Decimal(0)),
        (PriceState.FREE, Decimal(1)),
        (PriceState.FREE, None),
    ],
)
def test_a_quote_that_contradicts_itself_cannot_be_built(state: PriceState, price: Decimal | None) -> None:
    with pytest.raises(ValueError, match=f"^{state} price with unit_price"):
        Quote(state, price)


@pytest.mark.parametrize(
    ("quoted", "why"),
    [
        ("NaN", "is not finite"),
        ("sNaN", "is not finite"),
        ("-Infinity", "is not finite"),
        (Decimal("Infinity"), "is not finite"),
        ("", "is not a number"),
        ("free", "is not a number"),
        ("$1", "is not a number"),
        ("1,5", "is not a number"),
        (True, "is not a number"),
        (None, "is not a number"),
        (0.1, "is not a number"),
        ([], "is not a number"),
        ("1e-121", "is absurd"),
        ("1e400", "is absurd"),
        ("1e999999999", "is absurd"),
        ("0." + "0" * 100 + "1" * 200, "absurdly many digits"),
    ],
)
def test_what_is_no_amount_is_refused_with_a_reason(quoted: object, why: str) -> None:
    with pytest.raises(AmountError, match=why):
        quote(amount(quoted))


@pytest.mark.parametrize(
    ("value", "per", "why"),
    [("-0.1", 1, "is negative"), ("1", 0, "a price per 0 units"), ("1", -5, "a price per -5"), ("2e12", 1, "beyond")],
)
def test_what_is_no_price_is_refused(value: str, per: int, why: str) -> None:
    with pytest.raises(AmountError, match=why):
        quote(Decimal(value), per=per)


def test_the_highest_price_is_still_one() -> None:
    assert quote(ABSURD).unit_price == ABSURD


@given(value=st.text(max_size=20))
def test_any_text_is_an_amount_or_refused(value: str) -> None:
    try:
        assert amount(value).is_finite()
    except AmountError as error:
        assert str(error)  # noqa: PT017  either is fine, as long as it is one of the two


def test_a_meter_is_spelled_like_its_value() -> None:
    assert {meter.name.lower() for meter in Meter} == {meter.value for meter in Meter}
