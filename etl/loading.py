"""Loads what is landed of one source: read, judge, fit, log, in transactions of its own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from etl.database.engine import Begin
from etl.domain.garbage import uncollected
from etl.domain.snapshot import Origin
from etl.errors import ContractError
from etl.load import basket, history, judge, landing
from etl.load.clock import Now
from etl.load.doubt import Doubt
from etl.load.history import Loaded
from etl.load.landing import Landed
from etl.load.locks import lock_source
from etl.load.parcel import Parcel
from etl.load.refusal import is_about_the_data, refusal
from etl.reading import NOTHING, Prepared, read_next, reader
from etl.result import Result, result_of, told
from etl.sources.base import Source
from etl.telemetry import span

Clock = Callable[[], datetime]
"""Gives aware UTC times."""

Confirm = Callable[[Result], bool]
"""Asks a person whether a saved snapshot that is held is loaded all the same."""


def nobody(_: Result) -> bool:
    """Confirm nothing: there is no person to ask."""
    return False


@dataclass(frozen=True, kw_only=True)
class Loading:
    """Loads snapshots of ``source``; ``archive`` is where archived bodies are, if not where they were put.

    ``now`` is the second clock. ``confirm`` is asked about saved snapshots in doubt; None: all are loaded as they are.
    """

    begin: Begin
    source: Source[Any]
    now: Now
    doubt: Doubt = field(default_factory=Doubt)
    archive: Path | None = None
    confirm: Confirm | None = nobody

    def take_all(self, saved: Sequence[tuple[Parcel, Prepared]]) -> Iterator[Result]:
        """Land snapshots in one transaction, no two of one time, and load them in another; results in order.

        They come in order of time. What was not loaded because this stopped half-way is loaded by the next one.
        """
        with span("etl.land", source=self.source.name, snapshots=len(saved)), self.begin() as connection:
            lock_source(connection, self.source.name)
            parcels = [parcel for parcel, _ in saved]
            landed = landing.land_all(connection, parcels, landed_at=self.now(connection))
            new = [each.snapshot_id for each in landed if isinstance(each, Landed) and each.status == "landed"]
            landing.confirm(connection, new if self.confirm is None else ())
            known = [each for each in landed if isinstance(each, Landed) and each.status != "landed"]
            verdicts = landing.verdicts(connection, known)
        pairs = list(zip(landed, saved, strict=True))
        # Bytes that were landed as another kind long ago are read as that one, not as they were read ahead.
        at_hand = {
            each.snapshot_id: prepared if each.kind == parcel.kind else NOTHING
            for each, (parcel, prepared) in pairs
            if isinstance(each, Landed)
        }
        loading = self._pending(at_hand)
        for each, (parcel, _) in pairs:
            if not isinstance(each, Landed):
                yield Result(source=parcel.source, status="failed", observed_at=parcel.observed_at, error=str(each))
            elif each.snapshot_id in verdicts:
                status, reason = verdicts[each.snapshot_id]
                yield told(each, Loaded(status=status, reason=reason))
            else:
                yield next((done for done in loading if done.snapshot_id == each.snapshot_id), None) or self._told(each)
        for _ in loading:
            pass

    def load_pending(self, landed: Landed, prepared: Prepared) -> Result:
        """Load what is landed and not loaded, oldest first: this snapshot, and any that a crash left behind.

        Another process may have loaded this one meanwhile: then the log says what became of it.
        """
        return next(iter(list(self._pending({landed.snapshot_id: prepared}))), None) or self._told(landed)

    def load(
        self, connection: Connection, landed: Landed, prepared: Prepared = NOTHING, *, is_confirmed: bool = False
    ) -> Result:
        """Read a landed snapshot and load it, in the caller's transaction and under the source's lock.

        One that ``is_confirmed`` by a person is never held. What cannot be read, or not be stored as it was read, is
        logged as failed; history is then untouched.
        """
        result, moved_at = self._load(connection, landed, prepared, is_confirmed=is_confirmed)
        follow(connection, landed.source, moved_at)
        return result

    def _load(
        self, connection: Connection, landed: Landed, prepared: Prepared, *, is_confirmed: bool
    ) -> tuple[Result, datetime | None]:
        """Load a snapshot; also gives since when prices moved, which the caller has to follow up."""
        read = reader(connection, self.source, self.archive)
        try:
            with connection.begin_nested(), uncollected():
                catalog = read_next(connection, landed, self.source, self.archive, prepared)
                doubt = None if is_confirmed else self.doubt
                loaded = judge.load(connection, landed, catalog, read, now=self.now(connection), doubt=doubt)
        except (ContractError, DBAPIError) as error:
            if isinstance(error, DBAPIError) and not is_about_the_data(error):
                raise
            reason = str(error) if isinstance(error, ContractError) else refusal(error)
            history.mark(connection, landed, "failed", reason)
            return told(landed, Loaded(status="failed", reason=reason)), None
        return result_of(landed, loaded), loaded.moved_at

    def _pending(self, at_hand: Mapping[int, Prepared]) -> Iterator[Result]:
        """Load all that is landed, oldest first, as many in one transaction as are at hand; gives what became of these.

        What follows from all of them is then worked out once. Killed half-way, none of these is loaded, all are landed.
        A saved one in doubt ends the transaction: whoever is asked about it keeps nobody waiting meanwhile.
        """
        while True:
            done: list[Result] = []
            doubtful: Landed | None = None
            with self.begin() as connection:
                lock_source(connection, self.source.name)
                moved = []
                while doubtful is None and len(done) < len(at_hand):
                    oldest = landing.next_pending(connection, self.source.name)
                    if oldest is None:
                        break
                    prepared = at_hand.get(oldest.snapshot_id, NOTHING)
                    with span("etl.load", source=self.source.name, snapshot=oldest.snapshot_id) as work:
                        result, moved_at = self._load(connection, oldest, prepared, is_confirmed=oldest.is_confirmed)
                        work.tell(outcome=result.status, opened=result.opened, closed=result.closed)
                        if not result.is_well:
                            work.fail(result.error or result.reason)
                    moved += [moved_at] if moved_at else []
                    done.append(result)
                    doubtful = oldest if _is_doubtful(oldest, result) else None
                follow(connection, self.source.name, min(moved, default=None))
            if not done:
                return
            if doubtful is not None and self.confirm is not None and self.confirm(done[-1]):
                with self.begin() as connection:
                    landing.confirm(connection, [doubtful.snapshot_id])
                done.pop()
            yield from (result for result in done if _is_ours(result, at_hand))

    def _told(self, landed: Landed) -> Result:
        """What the log says of it: another process loaded it."""
        with self.begin() as connection:
            return told(landed, history.logged(connection, landed))


def _is_doubtful(landed: Landed, result: Result) -> bool:
    """Whether a person is to be asked about a snapshot."""
    return result.status == "held" and landed.origin is Origin.BACKFILL


def _is_ours(result: Result, at_hand: Mapping[int, Prepared]) -> bool:
    """Whether somebody waits to be told of it; what a crash left behind is said when it is not well."""
    if result.snapshot_id in at_hand:
        return True
    if not result.is_well:
        log = structlog.get_logger()
        why = result.error or result.reason
        log.warning("left behind by a crash", source=result.source, status=result.status, because=why)
    return False


def follow(connection: Connection, source: str, moved_at: datetime | None) -> None:
    """Keep up what follows from prices that moved at a moment and later, in the transaction that moved them."""
    if moved_at is not None:
        basket.refresh(connection, source, moved_at)
