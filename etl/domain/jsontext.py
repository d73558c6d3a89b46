"""JSON text for storing: numbers exact, keys sorted, nothing in it that Postgres would refuse."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder(order="sorted", decimal_format="number")
_WIDEST = 1000
"""Orders of magnitude, and digits, beyond which a number is kept as text: ``jsonb`` does not hold all of them."""

_ALWAYS = frozenset({str, bool, type(None)})
"""The types of what is finite whatever it says; most JSON is made of these."""


def encode(value: Any) -> str:
    """The JSON text of decoded JSON (``int``, ``Decimal``, ``str``, lists, mappings)."""
    return _ENCODER.encode(_finite(value)).decode()


sort_key: Callable[[Any], bytes] = _ENCODER.encode
"""Bytes by which JSON values can be put in one fixed order."""


def is_storable(value: Decimal) -> bool:
    """Whether ``jsonb`` can hold the number as a number."""
    return value.is_finite() and abs(value.adjusted()) < _WIDEST and len(value.as_tuple().digits) < _WIDEST


def _finite(value: Any) -> Any:
    match value:
        case dict() | Mapping():
            return {str(key): item if type(item) in _ALWAYS else _finite(item) for key, item in value.items()}
        case list() | tuple():
            return [item if type(item) in _ALWAYS else _finite(item) for item in value]
        case Decimal() if not is_storable(value):
            return str(value)
        case int() if abs(value) >= 2**64:
            return Decimal(value)
        case _:
            return value
