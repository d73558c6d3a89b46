"""Rates and margins as a file says them: dated, each with its origin, exact from the text on.

They are configuration and no facts of a catalog: what a unit of a currency is worth in US dollars, and by what a
gateway multiplies what its providers charge.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from etl.domain.meters import USD, AmountError, amount
from etl.sources.registry import kinds


def _exact(value: Any) -> Decimal:
    """An amount that never was a float: text, a whole number, or a number of a file that was read exactly."""
    if isinstance(value, float):
        raise PydanticCustomError("amount", "Write it in quotation marks, so that it stays exact")
    try:
        return amount(value)
    except AmountError as error:
        raise PydanticCustomError("amount", '{error}: write it like "1.08"', {"error": str(error)}) from None


def _moment(value: Any) -> datetime | None:
    """A date or a time, UTC unless it says otherwise; null: always."""
    try:
        match datetime.fromisoformat(value) if isinstance(value, str) else value:
            case None:
                return None
            case datetime() as moment:
                return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
            case date() as day:
                return datetime.combine(day, time(), UTC)
    except (ValueError, OverflowError):
        pass
    raise PydanticCustomError("moment", "Write a date or a time, UTC: 2026-01-31 or 2026-01-31T12:00:00Z")


def _foreign(currency: str) -> str:
    if not re.fullmatch("[A-Z]+", currency):
        raise PydanticCustomError("currency", "Write the currency in upper-case letters, like EUR")
    if currency == USD:
        raise PydanticCustomError("currency", "Rates are in US dollars: take this entry out")
    return currency


def _known(kind: str) -> str:
    if kind not in kinds():
        context = {"kind": kind, "kinds": ", ".join(sorted(kinds()))}
        raise PydanticCustomError("kind", "unknown kind {kind}; known kinds: {kinds}", context)
    return kind


Amount = Annotated[Decimal, BeforeValidator(_exact), Field(gt=0)]

Moment = Annotated[datetime | None, BeforeValidator(_moment)]

Origin = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class RateSettings(BaseModel):
    """One ``[[rates]]``: what one unit of a currency is worth from a moment on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    currency: Annotated[str, AfterValidator(_foreign)] = Field(
        description="ISO 4217 code, or CREDIT.", examples=["EUR"]
    )
    usd: Amount = Field(description="US dollars for one unit.", examples=["1.08"])
    valid_from: Moment = Field(None, description="From when on it holds; unset: always.", examples=[date(2026, 1, 1)])
    origin: Origin = Field(description="Where the rate comes from.", examples=["our treasury, first quarter"])


class MarginSettings(BaseModel):
    """One ``[[margins]]``: by what the gateways of a kind multiply their providers' prices from a moment on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Annotated[str, AfterValidator(_known)] = Field(
        description="Kind of the sources whose prices contain it.", examples=["majestix"]
    )
    factor: Amount = Field(
        description="What a provider's price is multiplied by: 1.4 for 40 % on top.", examples=["1.3"]
    )
    valid_from: Moment = Field(None, description="From when on it holds; unset: always.", examples=[date(2026, 3, 1)])
    origin: Origin = Field(description="Where that is known from.", examples=["our contract of March"])


Entry = TypeVar("Entry", bound=BaseModel)


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise PydanticCustomError("list", "Begin each entry with the name in double brackets: [[…]]")
    return value


def _once(what: str) -> Callable[[list[Entry]], list[Entry]]:
    """Refuses a second entry for the same moment."""

    def check(entries: list[Entry]) -> list[Entry]:
        seen: dict[tuple[Any, Any], int] = {}
        for number, entry in enumerate(entries, 1):
            key = (getattr(entry, what), getattr(entry, "valid_from"))  # noqa: B009  both kinds of entry have one
            first = seen.setdefault(key, number)
            if first != number:
                context = {"first": first, "number": number, "what": what}
                message = "numbers {first} and {number} have the same {what} and valid_from: take one of them out"
                raise PydanticCustomError("twice", message, context)
        return entries

    return check


Rates = Annotated[list[RateSettings], BeforeValidator(_listed), AfterValidator(_once("currency"))]

Margins = Annotated[list[MarginSettings], BeforeValidator(_listed), AfterValidator(_once("kind"))]
