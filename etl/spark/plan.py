"""What is to be read again: the snapshots that speak, in groups that are one task each."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import Engine

from etl.load import manifest
from etl.load.manifest import ArchivedSnapshot
from etl.load.speaking import HEARD, one_for_each_time, speaking

LARGEST = 500
"""Snapshots of one task: enough that the start of a task does not count, few enough to be done again."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One snapshot to read. ``ordinal`` is its place among those of its source, from 1, in order of time.

    ``archived`` tells of its pages, where the bodies come from an archive.
    """

    ordinal: int
    snapshot_id: int
    kind: str
    observed_at: datetime
    status: str
    archived: ArchivedSnapshot | None = None


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Neighbouring snapshots of one source."""

    source: str
    items: list[Item]

    def encode(self) -> bytes:
        """As it travels to the task."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, text: bytes) -> "Group":
        """As it was before it travelled."""
        return _GROUPS.decode(text)


Plan = Mapping[str, list[Item]]
"""By source, every snapshot that speaks."""

_GROUPS = msgspec.json.Decoder(Group)


@dataclass(frozen=True, slots=True)
class _Told:
    """A snapshot of a manifest, dated."""

    observed_at: datetime
    status: str
    archived: ArchivedSnapshot


def from_warehouse(engine: Engine, names: Iterable[str]) -> Plan:
    """The snapshots that lie in the warehouse, of sources that are known there."""
    with engine.connect() as connection:
        return {
            name: [
                Item(
                    ordinal=ordinal,
                    snapshot_id=landed.snapshot_id,
                    kind=landed.kind,
                    observed_at=landed.observed_at,
                    status=landed.status,
                )
                for ordinal, landed in enumerate(speaking(connection, name), 1)
            ]
            for name in names
        }


def from_archive(folder: Path, names: Iterable[str]) -> Plan:
    """The snapshots of which an archive tells. Raises ``ConfigurationError`` for a source that it does not know."""
    return {name: list(_archived(manifest.read(folder, name))) for name in names}


def _archived(found: Iterable[ArchivedSnapshot]) -> Iterator[Item]:
    walked = (
        _Told(each.observed_at, each.verdict, each) for each in found if each.failure is None and each.verdict in HEARD
    )
    for ordinal, told in enumerate(one_for_each_time(walked), 1):
        yield Item(
            ordinal=ordinal,
            snapshot_id=told.archived.snapshot_id,
            kind=told.archived.kind,
            observed_at=told.observed_at,
            status=told.status,
            archived=told.archived,
        )


def groups(plan: Plan, workers: int) -> list[Group]:
    """The plan cut into tasks: several for each worker, lest all wait for one, none of them larger than ``LARGEST``."""
    total = sum(map(len, plan.values()))
    size = max(1, min(LARGEST, -(-total // (4 * workers))))
    return [Group(source=source, items=items) for source, every in plan.items() for items in _cut(every, size)]


def _cut(items: list[Item], size: int) -> Iterator[list[Item]]:
    yield from (items[start : start + size] for start in range(0, len(items), size))
