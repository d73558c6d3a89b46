"""Values as text, where equal values are equal texts.

So an engine that knows neither ``jsonb`` nor exact decimals of any length compares as Postgres does.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from etl.domain import jsontext
from etl.domain.catalog import Json
from etl.domain.meters import plain

_ENCODER = msgspec.json.Encoder()


def text_of(values: Mapping[str, Any]) -> str:
    """The values of a row, by their columns: amounts, times and JSON as text, the rest as JSON has it."""
    return _ENCODER.encode({name: _field(value) for name, value in values.items()}).decode()


def amount(value: Decimal) -> str:
    """An amount with all its digits and no others: ``2.50e-06`` becomes ``0.0000025``."""
    return f"{plain(value):f}"


def json(value: Json) -> str:
    """JSON text: keys sorted, and numbers written in one way, as ``jsonb`` holds 1.0 and 1.00 for the same."""
    return jsontext.encode(_normal(value))


def moment(value: datetime) -> str:
    """A time in UTC, to the microsecond."""
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def _field(value: Any) -> Any:
    match value:
        case Mapping():
            return json(value)
        case tuple():
            return list(value)
        case Decimal():
            return amount(value)
        case datetime():
            return moment(value)
        case _:
            return value


def _normal(value: Json) -> Json:
    match value:
        case Mapping():
            return {str(key): _normal(item) for key, item in value.items()}
        case list() | tuple():
            return [_normal(item) for item in value]
        case bool():
            return value
        case int():
            return _number(Decimal(value))
        case Decimal() if jsontext.is_storable(value):  # Others are stored as the text that they came as.
            return _number(value)
        case _:
            return value


def _number(value: Decimal) -> int | Decimal:
    """A whole number that is no longer than a person would write it, or the digits that count and an exponent."""
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)  # noqa: S101  JSON has no NaN
    kept = "".join(map(str, digits)).rstrip("0")
    if not kept:
        return 0
    exponent += len(digits) - len(kept)
    if exponent >= 0 and value.adjusted() < _LONGEST:
        return int(value)
    return Decimal((sign, tuple(map(int, kept)), exponent))


_LONGEST = 40
