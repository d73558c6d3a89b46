"""Counts how often the load of each snapshot was begun, so that one that ends its process every time is set aside.

Without that a body which takes more memory than there is would be the first that each new process reads, for ever.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, update

from etl.load.landing import MOST_ATTEMPTS, Landed
from etl.load.tables import snapshot

IS_SET_ASIDE = (snapshot.c.status == "failed") & (snapshot.c.attempts > 0)
"""Whether a snapshot is ``failed`` because of this. A failure with another reason takes the attempts back to 0."""

_REASON = (
    f"set aside: {MOST_ATTEMPTS} loads of these bytes were cut off with their process or its connection, killed or out "
    "of memory; they are kept: `etl snapshots release {number}` tries again, `etl snapshots reject {number}` settles it"
)


def begin(connection: Connection, landed: Landed) -> None:
    """Count one more load of a snapshot, in a transaction that is committed before the load is."""
    _count(connection, [landed.snapshot_id], 1)


def give_back(connection: Connection, numbers: Iterable[int]) -> None:
    """Count one load less of snapshots that are still to be loaded: what ended it was not their fault."""
    _count(connection, numbers, -1)


def set_aside(connection: Connection, landed: Landed) -> str:
    """Mark a snapshot as failed for good, until a person releases it. Return the reason."""
    reason = _REASON.format(number=landed.snapshot_id)
    values = {"status": "failed", "reason": reason, "attempts": MOST_ATTEMPTS}
    connection.execute(update(snapshot).where(snapshot.c.snapshot_id == landed.snapshot_id).values(values))
    return reason


def _count(connection: Connection, numbers: Iterable[int], by: int) -> None:
    still = snapshot.c.snapshot_id.in_(list(numbers)) & (snapshot.c.status == "landed")
    connection.execute(
        update(snapshot).where(still, snapshot.c.attempts + by >= 0).values(attempts=snapshot.c.attempts + by)
    )
