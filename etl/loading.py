"""Loads what is landed of one source: read, judge, fit, log, in transactions of its own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, suppress
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
from etl.load import attempts, basket, history, judge, landing
from etl.load.clock import Now
from etl.load.doubt import Doubt
from etl.load.history import Loaded
from etl.load.landing import MOST_ATTEMPTS, Landed
from etl.load.locks import lock_source
from etl.load.parcel import Parcel
from etl.load.refusal import is_of_the_database, is_passing, refusal
from etl.load.turns import TURNS
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

    ``aside`` begins a transaction beside the one that ``begin`` began. ``now`` is the second clock. ``confirm`` is
    asked about saved snapshots in doubt; None: all are loaded as they are.
    """

    begin: Begin
    aside: Begin
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
            landed = landing.land_all(connection, parcels, landed_at=self.now(connection), archive=self.archive)
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
        loading = self._pending(
            at_hand, {each.snapshot_id for each, _ in pairs if isinstance(each, Landed) and each.is_new}
        )
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
        together = {landed.snapshot_id} if landed.is_new else set()
        return next(iter(list(self._pending({landed.snapshot_id: prepared}, together))), None) or self._told(landed)

    def load(
        self, connection: Connection, landed: Landed, prepared: Prepared = NOTHING, *, is_confirmed: bool = False
    ) -> Result:
        """Read a landed snapshot and load it, in the caller's transaction and under the source's lock.

        One that ``is_confirmed`` by a person is never held. Whatever goes wrong with it is logged as its failure; then
        history is untouched.
        """
        result, moved_at = self._load(connection, landed, prepared, is_confirmed=is_confirmed)
        follow(connection, landed.source, moved_at)
        return result

    def _load(
        self, connection: Connection, landed: Landed, prepared: Prepared, *, is_confirmed: bool
    ) -> tuple[Result, datetime | None]:
        """Load a snapshot; also gives since when prices moved, which the caller has to follow up.

        Whatever goes wrong is this snapshot's failure, so that the next one is loaded. Raises only errors of the
        database as such.
        """
        read = reader(connection, self.source, self.archive)
        try:
            with connection.begin_nested(), uncollected():
                catalog = read_next(connection, landed, self.source, self.archive, prepared)
                doubt = None if is_confirmed else self.doubt
                loaded = judge.load(connection, landed, catalog, read, now=self.now(connection), doubt=doubt)
        except Exception as error:
            if is_of_the_database(error, connection):
                raise
            return self._fail(connection, landed, refusal(error)), None
        return result_of(landed, loaded), loaded.moved_at

    def _pending(self, at_hand: Mapping[int, Prepared], together: AbstractSet[int]) -> Iterator[Result]:
        """Load all that is landed, oldest first; gives what became of it.

        Snapshots ``together`` are loaded in one transaction, and what follows from all of them is worked out once. When
        that fails, and for those that a crash left behind, each has a transaction of its own. A saved one in doubt ends
        the transaction, so that no other load waits for the answer of a person.
        """
        while True:
            taken: list[Landed] = []
            try:
                done = self._load_some(at_hand, together, taken)
            except BaseException as error:
                self._give_back(error, taken)
                if not isinstance(error, Exception) or not taken or is_of_the_database(error):
                    raise
                together = set()
                done = [self._fail_alone(taken[0], refusal(error))] if len(taken) == 1 else []
                if taken[1:]:
                    continue
            if not done:
                return
            doubtful = taken[len(done) - 1]
            if _is_doubtful(doubtful, done[-1]) and self.confirm is not None and self.confirm(done[-1]):
                self._let_in(doubtful)
                # Loaded alone: a load that is begun anew counts as an attempt of its own.
                together -= {doubtful.snapshot_id}
                done.pop()
            yield from (result for result in done if _is_ours(result, at_hand))

    def _load_some(
        self, at_hand: Mapping[int, Prepared], together: AbstractSet[int], taken: list[Landed]
    ) -> list[Result]:
        """Load the oldest ones in one transaction, which are ``taken``: of those ``together`` all, else one."""
        done, moved = [], []
        with self.begin() as connection, ExitStack() as turn:
            lock_source(connection, self.source.name)
            while (oldest := landing.next_pending(connection, self.source.name)) is not None:
                if taken and not {taken[0].snapshot_id, oldest.snapshot_id} <= together:
                    break
                if not taken:
                    turn.enter_context(TURNS.take(alone=oldest.snapshot_id not in together))
                taken.append(oldest)
                if not self._may_begin(oldest, is_counted=oldest.snapshot_id in together):
                    done.append(self._told_as_failed(oldest, attempts.set_aside(connection, oldest)))
                    break
                result, moved_at = self._traced(connection, oldest, at_hand.get(oldest.snapshot_id, NOTHING))
                moved += [moved_at] if moved_at else []
                done.append(result)
                if _is_doubtful(oldest, result):
                    break
            follow(connection, self.source.name, min(moved, default=None))
        return done

    def _traced(self, connection: Connection, landed: Landed, prepared: Prepared) -> tuple[Result, datetime | None]:
        """Load a snapshot, as a span of the trace."""
        with span("etl.load", source=self.source.name, snapshot=landed.snapshot_id) as work:
            result, moved_at = self._load(connection, landed, prepared, is_confirmed=landed.is_confirmed)
            work.tell(outcome=result.status, opened=result.opened, closed=result.closed)
            if not result.is_well:
                work.fail(result.error or result.reason)
        return result, moved_at

    def _may_begin(self, landed: Landed, *, is_counted: bool) -> bool:
        """Count another attempt at a snapshot, committed before it begins; false when it had enough of them.

        That of a new one ``is_counted`` already.
        """
        if landed.attempts >= MOST_ATTEMPTS:
            return False
        if not is_counted:
            with self.aside() as connection:
                attempts.begin(connection, landed)
        return True

    def _give_back(self, error: BaseException, taken: Sequence[Landed]) -> None:
        """Count no attempt where this process lives and it was not the snapshot that ended it."""
        if not isinstance(error, Exception) or not is_of_the_database(error) or is_passing(error):
            with suppress(DBAPIError), self.aside() as connection:
                attempts.give_back(connection, [each.snapshot_id for each in taken])

    def _fail_alone(self, landed: Landed, reason: str) -> Result:
        """Mark a snapshot as failed whose transaction was undone."""
        with self.begin() as connection:
            lock_source(connection, self.source.name)
            return self._fail(connection, landed, reason)

    def _fail(self, connection: Connection, landed: Landed, reason: str) -> Result:
        history.mark(connection, landed, "failed", reason)
        return self._told_as_failed(landed, reason)

    def _told_as_failed(self, landed: Landed, reason: str) -> Result:
        return told(landed, Loaded(status="failed", reason=reason))

    def _let_in(self, held: Landed) -> None:
        """Let a held snapshot be loaded after all, because a person has confirmed it."""
        with self.begin() as connection:
            lock_source(connection, held.source)
            landing.confirm(connection, [held.snapshot_id])

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
