"""Rates on the wire: each field of a price object names its meter on its own line; what names none is reported."""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from pydantic import BaseModel, ConfigDict

from etl.domain.catalog import Json
from etl.domain.meters import Meter

Rate: TypeAlias = Any
"""A figure as quoted: a number, a numeric string, or null for not published. Judged one by one, see ``amount``."""


class Quoted(NamedTuple):
    """One published figure: the field that quotes it, its meter, and the figure as it came (never null)."""

    field: str
    meter: Meter
    raw: Json


class Rates(BaseModel):
    """A price object. Declare ``field: Annotated[Rate, Meter.X] = None``; of two fields with one meter the first wins.

    Fields without a meter are declared with another type and handled by the source.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    def quoted(self) -> Iterator[Quoted]:
        """The published figures, at most one for each meter."""
        seen: set[Meter] = set()
        for name, meter in _meters(type(self)).items():
            raw = getattr(self, name)
            if raw is not None and meter not in seen:
                seen.add(meter)
                yield Quoted(_wire_name(type(self), name), meter, raw)

    def unmapped(self) -> dict[str, Json]:
        """The fields that carry something and that nobody declared."""
        return {name: raw for name, raw in (self.model_extra or {}).items() if raw is not None}


@cache
def _meters(rates: type[Rates]) -> dict[str, Meter]:
    return {
        name: next(mark for mark in field.metadata if isinstance(mark, Meter))
        for name, field in rates.model_fields.items()
        if any(isinstance(mark, Meter) for mark in field.metadata)
    }


def _wire_name(rates: type[Rates], name: str) -> str:
    return rates.model_fields[name].alias or name
