"""The bundled sample catalogs: for each kind one file with its first body and, dated, the edits that followed.

A step that was released is never edited again, for warehouses have it under its time: the story goes on with a new one.
"""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from typing import Self

from etl.domain.catalog import Json

STEPS = (
    datetime(2025, 11, 3, 8, 15, tzinfo=UTC),
    datetime(2025, 11, 17, 14, 30, tzinfo=UTC),
    datetime(2025, 12, 1, 6, 45, tzinfo=UTC),
    datetime(2025, 12, 15, 19, 5, tzinfo=UTC),
    datetime(2026, 1, 5, 10, 20, tzinfo=UTC),
)
"""When the snapshots are taken; the edits of a file are dated by day."""

RECORDS = {
    "bifrost": ("data",),
    "helicone_gateway": ("data",),
    "helicone_registry": ("data", "models"),
    "majestix": ("models",),
    "phaseo": ("models",),
}
"""The kinds that are played, and where the models stand in a body."""


def bodies(kind: str) -> Iterator[Json]:
    """The whole catalog of a kind at each of ``STEPS``, before it is cut into pages.

    Raises ``ValueError`` for a file that edits at another time or in an unknown way.
    """
    sample = json.loads(files(__package__).joinpath("catalogs", f"{kind}.json").read_text(encoding="utf-8"))
    edits = sample["edits"]
    days = [str(step.date()) for step in STEPS]
    if strays := edits.keys() - days[1:]:
        raise ValueError(f"{kind}.json has edits at no step: {sorted(strays)}")
    catalog = _Catalog.of(sample["first"], RECORDS[kind])
    for day in days:
        for edit in edits.get(day, ()):
            catalog.apply(edit)
        yield catalog.snapshot()


@dataclass(kw_only=True)
class _Catalog:
    """A catalog between two steps. ``shelf`` has every model that was ever listed, by id."""

    body: dict[str, Json]
    holder: dict[str, Json]
    listed: list[Json]
    shelf: dict[str, Json] = field(default_factory=dict)

    @classmethod
    def of(cls, body: dict[str, Json], path: tuple[str, ...]) -> Self:
        holder = body
        for step in path[:-1]:
            holder = holder[step]
        listed = holder[path[-1]]
        return cls(body=body, holder=holder, listed=listed, shelf={record["id"]: record for record in listed})

    def apply(self, edit: Json) -> None:
        """Do what one edit of a file says; each carries its reason in ``why``."""
        match edit:
            case {"add": record}:
                self.shelf[record["id"]] = record
                self.listed.insert(0, record)
            case {"remove": ids}:
                self.listed[:] = [record for record in self.listed if record["id"] not in ids]
            case {"return": ids}:
                self.listed.extend(self.shelf[model_id] for model_id in ids)
            case {"id": model_id, "set": values}:
                for pointer, value in values.items():
                    _put(self.shelf[model_id], pointer, value)
            case {"body": fields}:
                self.body.update(fields)
            case {"reverse": True}:
                self.listed.reverse()
            case _:
                raise ValueError(f"an edit that is none: {edit!r:.100}")

    def snapshot(self) -> Json:
        """The body as it is now; a gateway that tells its ``total`` tells the right one."""
        if "total" in self.holder:
            self.holder["total"] = len(self.listed)
        return copy.deepcopy(self.body)


def _put(record: Json, pointer: str, value: Json) -> None:
    """Set what stands at a JSON pointer: steps of digits are indexes, escapes do not occur in these files."""
    *path, last = (int(step) if step.isdigit() else step for step in pointer[1:].split("/"))
    for step in path:
        record = record[step]
    record[last] = value
