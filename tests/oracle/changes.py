"""The changes that versions make, told by a dict and a loop from the oracle's versions."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from tests.load.worlds import Key, Run, Value


class Told(NamedTuple):
    """One change of one price."""

    key: Key
    change: str
    old: Value | None
    new: Value | None
    changed_at: datetime
    is_economic: bool
    is_reversal: bool


def price_changes(prices: Iterable[Run], first: datetime) -> set[Told]:
    """Every change after the first snapshot."""
    runs: dict[Key, list[Run]] = defaultdict(list)
    for run in sorted(prices, key=lambda run: run[2]):
        runs[run[0]].append(run)
    return {told for key, mine in runs.items() for told in _of_key(key, mine) if told.changed_at > first}


def _of_key(key: Key, runs: list[Run]) -> Iterable[Told]:
    for place, (_, value, start, end) in enumerate(runs):
        before = _touching(runs, place - 1, start)
        second = _touching(runs, place - 2, runs[place - 1][2]) if before else None
        is_noise = before is not None and _is_noise(before, value)
        is_back = second == value and not is_noise
        if before is None:
            yield Told(key, "added", None, value, start, is_economic=value[0] != "free", is_reversal=False)
        else:
            yield Told(key, _kind(before, value), before, value, start, is_economic=not is_noise, is_reversal=is_back)
        if end is not None and (place + 1 == len(runs) or runs[place + 1][2] != end):
            yield Told(key, "removed", value, None, end, is_economic=value[0] != "free", is_reversal=False)


def _touching(runs: list[Run], place: int, start: datetime) -> Value | None:
    """The value of the version at a place, if it ends just when the one after it begins."""
    return runs[place][1] if place >= 0 and runs[place][3] == start else None


def _is_noise(old: Value, new: Value) -> bool:
    """Whether two prices are one figure but for the noise of a double."""
    if old[0] != "priced" or new[0] != "priced":
        return False
    before, after = Decimal(str(old[1])), Decimal(str(new[1]))
    return abs(after - before) < Decimal("1e-14") * after


def _kind(old: Value, new: Value) -> str:
    if "dynamic" in (old[0], new[0]):
        return "restated"
    return "increased" if Decimal(str(new[1])) > Decimal(str(old[1])) else "decreased"
