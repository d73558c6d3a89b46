"""The records of a snapshot that cannot be read: the first ones whole, the others only counted.

A reply of two kilobytes can hold a million of them, so that neither their number nor their size may be left to it.
"""

from collections.abc import Iterable
from decimal import Decimal

from etl.domain.catalog import Json, Quarantined, Scope

LIMIT = 1000
"""Records that are kept, unless ``quarantine_limit`` says otherwise."""

LONGEST_RECORD = 10_000
"""Characters of a record that is kept whole. The landed page has all of a longer one."""

LONGEST_TEXT = 1000
"""Characters of a reason or a pointer; both can repeat field names."""

MOST_SCOPES = 5000
"""Keys that are carried on because their records could not be read; beyond that, nothing of the source is ended."""


class Quarantine:
    """Collects what cannot be read. ``limit`` is the number of records that are kept."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._kept: list[Quarantined] = []
        self._further = 0
        self._page = 0
        self._scopes: set[Scope] = set()

    @property
    def is_full(self) -> bool:
        """Whether further records are only counted."""
        return len(self._kept) >= self._limit

    def add(self, entry: Quarantined) -> None:
        """Keep a record, cut to a bearable size, or count it."""
        if self.is_full or entry.count > 1:
            self.count(entry.page, entry.scopes, entry.count)
            return
        pointer, reason = (
            text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…" for text in (entry.pointer, entry.reason)
        )
        self._kept.append(
            Quarantined(page=entry.page, pointer=pointer, reason=reason, record=cut(entry.record), scopes=entry.scopes)
        )

    def count(self, page: int, scopes: Iterable[Scope], count: int = 1) -> None:
        """Count records that are not kept; what history knows under their scopes is carried on all the same."""
        self._further += count
        self._page = self._page or page
        self._scopes.update(scopes)
        if len(self._scopes) > MOST_SCOPES:
            self._scopes = {Scope()}

    def records(self) -> tuple[Quarantined, ...]:
        """What is kept, and one entry for all others."""
        if not self._further:
            return tuple(self._kept)
        reason = (
            f"{self._further} more records cannot be read: only the first {self._limit} are kept (quarantine_limit)"
        )
        further = Quarantined(
            page=self._page, pointer="", reason=reason, record=None, scopes=tuple(self._scopes), count=self._further
        )
        return (*self._kept, further)


def cut(value: Json, room: int = LONGEST_RECORD) -> Json:
    """JSON as it is, or the beginning of it when it takes more than ``room`` characters, roughly."""
    return value if _fits(value, room) else _Cutter(room).cut(value)


def _fits(value: Json, room: int) -> bool:
    """Whether JSON takes no more than ``room`` characters; looks at no more than it has to."""
    waiting = [value]
    while waiting and room >= 0:
        item = waiting.pop()
        room -= _weight(item)
        if room >= 0 and type(item) is dict:
            room -= sum(map(len, item))
            waiting += item.values()
        elif room >= 0 and type(item) is list:
            waiting += item
    return room >= 0


def _weight(item: Json) -> int:
    """Roughly the characters that a value takes, without what is in it."""
    if isinstance(item, str | dict | list):
        return len(item) + 2
    return len(item.as_tuple().digits) if type(item) is Decimal else 4


class _Cutter:
    """Copies the beginning of JSON, saying where something was left out."""

    def __init__(self, room: int) -> None:
        self._room = room

    def cut(self, value: Json) -> Json:
        self._room -= 2
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return self._list(value)
        return value

    def _text(self, text: str) -> str:
        kept = text[: max(0, self._room)]
        self._room -= len(kept)
        return kept if len(kept) == len(text) else f"{kept}… ({len(text)} characters)"

    def _object(self, value: dict[str, Json]) -> dict[str, Json]:
        kept: dict[str, Json] = {}
        for key, item in value.items():
            if self._room <= 0:
                kept["…"] = f"{len(value) - len(kept)} more fields"
                break
            name = self._text(key)
            kept[name] = self.cut(item)
        return kept

    def _list(self, value: list[Json]) -> list[Json]:
        kept: list[Json] = []
        for item in value:
            if self._room <= 0:
                kept.append(f"… {len(value) - len(kept)} more")
                break
            kept.append(self.cut(item))
        return kept
