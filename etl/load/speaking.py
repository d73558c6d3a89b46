"""Which snapshots a history is rebuilt from: those whose bytes speak."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy import Connection, select

from etl.load.attempts import IS_SET_ASIDE
from etl.load.history import COUNTED
from etl.load.landing import Landed, landed_of
from etl.load.tables import raw_snapshot, snapshot

HEARD = (*COUNTED, "held", "failed")
"""What may have become of a snapshot of which something can be said. A landed one is not judged yet."""


class Dated(Protocol):
    """A snapshot with its time, and what became of it."""

    @property
    def observed_at(self) -> datetime:
        """When it was taken."""

    @property
    def status(self) -> str:
        """What became of it."""


D = TypeVar("D", bound=Dated)


def speaking(connection: Connection, name: str) -> list[Landed]:
    """The snapshots of a source that count, and those that could not be read when they came, in order of time.

    What was set aside because it ended its readers is not given to another one.
    """
    walked = select(raw_snapshot.c.snapshot_id).where(raw_snapshot.c.failure.is_(None))
    found = landed_of(
        connection,
        snapshot.c.source == name,
        snapshot.c.status.in_(HEARD),
        ~IS_SET_ASIDE,
        snapshot.c.snapshot_id.in_(walked),
    )
    return one_for_each_time(found)


def one_for_each_time(found: Iterable[D]) -> list[D]:
    """Of several with one time, the one that did not fail replaced the others; a held one says nothing yet."""
    by_time = {each.observed_at: each for each in sorted(found, key=lambda each: each.status != "failed")}
    return [by_time[at] for at in sorted(by_time) if by_time[at].status != "held"]
