"""What became of one source's snapshot, as it is told to whoever asked for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from etl.errors import in_short
from etl.load import history
from etl.load.history import Loaded
from etl.load.landing import Landed


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What became of one source's snapshot.

    ``status`` is that of ``mart.snapshot``, or ``taken`` when another run was at it, ``not_due`` when no slot was open;
    ``error`` is set when it failed, in one line. ``run_id`` is the number of the run in the ledger, ``bytes`` what
    came, after decompression. ``changes`` are told where they cannot be looked up afterwards,
    because everything was undone.
    """

    source: str
    status: str
    observed_at: datetime | None = None
    snapshot_id: int | None = None
    reason: str | None = None
    error: str | None = None
    opened: int = 0
    closed: int = 0
    quarantined: int = 0
    unmapped: int = 0
    run_id: int | None = None
    bytes: int = 0
    changes: tuple[dict[str, Any], ...] = ()

    @property
    def is_well(self) -> bool:
        """Whether nothing failed and nothing is held."""
        return self.status in (*history.COUNTED, "taken", "not_due")


def result_of(landed: Landed, loaded: Loaded, *, error: str | None = None) -> Result:
    """The result for a landed snapshot and what was made of it."""
    return Result(
        source=landed.source,
        snapshot_id=landed.snapshot_id,
        observed_at=landed.observed_at,
        status=loaded.status,
        reason=loaded.reason,
        error=error,
        opened=loaded.opened,
        closed=loaded.closed,
        quarantined=loaded.quarantined,
        unmapped=loaded.unmapped,
    )


def told(landed: Landed, loaded: Loaded) -> Result:
    """The result for a snapshot as the log has it, with the error that it ended in."""
    line = f"{landed.source}: snapshot {landed.snapshot_id}: {loaded.reason}"
    return result_of(landed, loaded, error=line if loaded.status == "failed" else None)


def broken(source: str, error: Exception) -> Result:
    """The result for a source that something unforeseen stopped, a database included."""
    return Result(source=source, status="failed", error=f"{source}: {in_short(error)}")
