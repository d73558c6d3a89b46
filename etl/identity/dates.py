"""Dates in names: full ones, and the short ones that gateways use instead.

A short date is part of the identity as it stands: it is never completed by guessing, only matched with a full one.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Form(StrEnum):
    """How much of a date a name tells."""

    FULL = "full"
    MONTH = "month and year"
    DAY = "month and day"
    YEAR_MONTH = "two-digit year and month"


@dataclass(frozen=True, slots=True, order=True)
class Stamp:
    """A date as a name tells it: ``text`` is the same for every spelling of one date."""

    text: str
    form: Form

    @property
    def is_full(self) -> bool:
        """Whether it names one day."""
        return self.form is Form.FULL

    def may_be(self, other: "Stamp") -> bool:
        """Whether all that this short date tells is true of a full one."""
        year, month, day = other.text.split("-") if other.is_full else ("", "", "")
        told = {Form.MONTH: f"{year}-{month}", Form.DAY: month + day, Form.YEAR_MONTH: year[2:] + month}
        return other.is_full and told.get(self.form) == self.text


_YEAR, _MONTH, _DAY = r"(20[12]\d|203\d)", r"(0[1-9]|1[0-2])", r"(0[1-9]|[12]\d|3[01])"
_START, _END = r"(?<![a-z0-9.])", r"(?![a-z0-9.])"

_FULL = re.compile(rf"{_START}{_YEAR}([-_.]?){_MONTH}\2{_DAY}{_END}")
_SHORT = (
    (re.compile(rf"{_START}{_MONTH}[-_]{_YEAR}{_END}"), Form.MONTH, (2, 1)),
    (re.compile(rf"{_START}{_YEAR}[-_]{_MONTH}{_END}"), Form.MONTH, (1, 2)),
    (re.compile(rf"{_START}{_MONTH}[-_]?{_DAY}{_END}"), Form.DAY, (1, 2)),
    (re.compile(rf"{_START}(2[3-9]|3[0-5]){_MONTH}{_END}"), Form.YEAR_MONTH, (1, 2)),
)


def take(name: str) -> tuple[str, Stamp | None, str]:
    """The name with its date replaced by a word ``@``, the date, and how it was spelled.

    The last full date counts, or else the last short one; what looks like another one stays a word.
    """
    for found in reversed(list(_FULL.finditer(name))):
        year, _, month, day = found.groups()
        if _exists(year, month, day):
            return _without(name, found), Stamp(f"{year}-{month}-{day}", Form.FULL), found[0]
    for pattern, form, (one, other) in _SHORT:
        found_short = list(pattern.finditer(name))
        if found_short:
            last = found_short[-1]
            glue = "-" if form is Form.MONTH else ""
            return _without(name, last), Stamp(last[one] + glue + last[other], form), last[0]
    return name, None, ""


def _without(name: str, found: re.Match[str]) -> str:
    return name[: found.start()] + " @ " + name[found.end() :]


def _exists(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True
