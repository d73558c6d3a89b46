"""The reviewed decisions that no rule can make, from ``overrides.csv``; how to review it stands in docs/identity.md."""

import csv
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources


class Decision(StrEnum):
    """What a person decided about an id."""

    SAME = "same"
    SEPARATE = "separate"
    SEVERAL_DATES = "several dates"


@dataclass(frozen=True, kw_only=True, slots=True)
class Override:
    """One row: ``same`` as ``canonical_id``, ``separate`` from it, or a name with ``several dates`` (then it is empty).

    ``model_id`` is ``maker/name``, the name either as a source writes it, or as the rules read it.
    """

    model_id: str
    decision: Decision
    canonical_id: str
    reason: str


@cache
def overrides() -> tuple[Override, ...]:
    """Every row, as it stands. Raises ``ValueError`` for a decision that is none."""
    text = resources.files("etl.identity").joinpath("overrides.csv").read_text(encoding="utf-8")
    return tuple(
        Override(
            model_id=row["model_id"],
            decision=Decision(row["decision"]),
            canonical_id=row["canonical_id"],
            reason=row["reason"],
        )
        for row in csv.DictReader(text.splitlines())
    )
