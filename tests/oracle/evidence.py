"""Walks to a JSON pointer and computes a price from what stands there, by the letter and with fractions alone."""

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

from etl.domain.evidence import Evidence


def document(body: bytes) -> Any:
    """The body with exact numbers."""
    return json.loads(body.decode(json.detect_encoding(body)), parse_float=Decimal, parse_int=Decimal)


def walk(value: Any, pointer: str) -> Any:
    """What stands at a JSON pointer (RFC 6901)."""
    if not pointer:
        return value
    empty, *steps = pointer.split("/")
    assert empty == ""
    for step in steps:
        name = step.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def unit_price(evidence: Evidence, page: Any) -> Fraction | None:
    """The price of one unit that the evidence gives on its page; null for one that varies."""
    figures = [_number(walk(page, cited.pointer)) for cited in evidence.citations]
    if figures == [-1]:
        return None
    per = evidence.per if isinstance(evidence.per, int) else _number(walk(page, evidence.per))
    product = Fraction(1)
    for figure in figures:
        product *= _rounded(figure, evidence.rounding.name)
    return product / per


def is_price(computed: Fraction, stored: Decimal) -> bool:
    """Whether a stored price is the computed one: exactly, or to 28 digits where the division does not end."""
    rest = computed.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest == 1:
        return computed == Fraction(stored)
    return abs(computed - Fraction(stored)) <= computed / 10**27


def _number(quoted: object) -> Fraction:
    assert isinstance(quoted, str | Decimal)
    return Fraction(Decimal(quoted))


def _rounded(value: Fraction, rounding: str) -> Fraction:
    """The nearest number with 9 decimals, or 15 digits; of two the even one."""
    if rounding == "none" or value == 0:
        return value
    places = 9
    if rounding == "15 significant digits":
        places = 15
        while abs(value) * 10**places >= 10**15:
            places -= 1
        while abs(value) * 10**places < 10**14:
            places += 1
    else:
        assert rounding == "9 decimals"
    scale = Fraction(10) ** places
    return round(value * scale) / scale
