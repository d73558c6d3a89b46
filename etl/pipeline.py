"""The line that every snapshot takes, spelled once: walk, land, read, load.

Two commits for each snapshot: the bytes, then everything they mean. A failure to understand never loses what was
heard; what is landed and not loaded is loaded by the next run.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from etl import bulk
from etl.backfill import Saved
from etl.concurrency import at_once
from etl.config import ConfiguredSource, Settings
from etl.database.engine import Begin, one_session
from etl.domain.snapshot import Origin, Page, Snapshot
from etl.errors import ClockError, ContractError, EtlError, SourceError, in_short
from etl.extract.client import Limits
from etl.fetch import fetch
from etl.load import applied, changes, history, identity, judge, landing, ledger, log, statistics, suspicion
from etl.load import verify as verification
from etl.load.clock import TOLERANCE, Now, future
from etl.load.comparing import Verdict
from etl.load.doubt import Doubt
from etl.load.history import Loaded
from etl.load.locks import lock_source
from etl.load.raw import repair
from etl.loading import Clock, Confirm, Loading, follow, nobody
from etl.reading import Prepared, reader
from etl.result import Result, broken, result_of
from etl.sources.base import Source
from etl.sources.quarantine import LIMIT
from etl.sources.registry import kinds
from etl.telemetry import span

SETTLED = 1000
"""Snapshots of a backfill after which what follows from loads is done in between."""

EARLY = (32, 64, 128, 256, 512)
"""Where that is done as well: the planner must learn soon that tables are no longer empty."""

ALREADY = "already"
"""The reason of a result for which nothing had to be done."""

Take = Callable[[Source[Any], Snapshot, SourceError | None], Result]
"""What becomes of a snapshot that a walk brought home, or of the evidence of its failure."""


@dataclass(frozen=True)
class Pipeline:
    """The line into one warehouse. ``clock`` gives aware UTC times and dates what is fetched.

    ``known_clock`` dates what becomes known, the second clock of history: ``database_time`` wherever the clock of this
    host may be wrong; None stands for ``clock``, where time itself is invented.
    ``archive`` is where archived bodies are, if not where they were put. ``quarantine_limit`` is for sources that are
    read as they were landed; one that is configured has its own.
    """

    engine: Engine
    clock: Clock
    doubt: Doubt = field(default_factory=Doubt)
    limits: Limits = field(default_factory=Limits)
    archive: Path | None = None
    quarantine_limit: int = LIMIT
    known_clock: Now | None = None

    def __post_init__(self) -> None:
        """Know by which modules this program reads, before anybody puts others in their place."""
        applied.reading()

    def now(self, connection: Connection) -> datetime:
        """Return the time by the second clock."""
        return self.clock() if self.known_clock is None else self.known_clock(connection)

    def slot_time(self, connection: Connection) -> datetime:
        """Return the time by which slots are due: our clock's, and never much ahead of the database's.

        With a clock two years ahead, one run wrote down 17,519 slots as missed.
        """
        return self.clock() if self.known_clock is None else min(self.clock(), self.now(connection) + TOLERANCE)

    def run(self, sources: Iterable[ConfiguredSource], settings: Settings, *, is_dry: bool = False) -> Iterator[Result]:
        """One snapshot now of each source, concurrently; results come as they are ready.

        With ``is_dry`` everything is undone again: what would change, with nothing written.
        """
        take = self.rehearse if is_dry else self.take
        yield from at_once(lambda source: self.pull(source, settings, take), sources)
        if not is_dry:
            self.settle()

    def backfill(
        self,
        source: Source[Any],
        snapshots: Iterable[Snapshot],
        *,
        workers: int | None = None,
        confirm: Confirm | None = None,
    ) -> Generator[Result, None, None]:
        """Land and load saved snapshots in the order in which they are given, in one session of the database.

        ``confirm`` is asked about each that would be held if it were live, and holds it by False; None: all are loaded.
        Of those found on disk the files are read by ``workers`` processes (None: as many as pay), and landed some at
        a time. What is loaded stays when the caller stops half-way; the same again goes on from there.
        """
        with one_session(self.engine) as begin:
            loading = self._loading(source, begin, confirm)
            count = 0
            for chunk in self._prepared(source, snapshots, begin, workers):
                for result in loading.take_all(chunk):
                    count += 1
                    yield result
                    if count % SETTLED == 0 or count in EARLY:
                        self.settle()
        self.settle()

    def pull(self, configured: ConfiguredSource, settings: Settings, take: Take) -> Result:
        """One source from the network to history; ``take`` says how far. Whatever goes wrong stays with this source.

        Raises ``DBAPIError`` alone, when it is the database that failed.
        """
        try:
            outcome = fetch(configured, settings, self._latest_page(configured.name), self.clock, self.limits)
            snapshot = Snapshot(
                source=configured.name,
                kind=configured.kind,
                observed_at=outcome.observed_at or self.clock(),
                origin=Origin.RUN,
                pages=outcome.pages,
            )
            return replace(
                take(configured.source, snapshot, outcome.error), bytes=sum(len(page.body) for page in snapshot.pages)
            )
        except DBAPIError:
            raise
        except EtlError as error:
            return Result(source=configured.name, status="failed", error=str(error))
        except Exception as error:  # noqa: BLE001  what fails here must not stop the others
            return broken(configured.name, error)

    def take(
        self, source: Source[Any], snapshot: Snapshot, failure: SourceError | None = None, *, run_id: int | None = None
    ) -> Result:
        """Land a snapshot in one transaction and load it in the next; with ``failure`` its pages are only evidence.

        Raises ``ConflictError`` when the source has another snapshot with the same time, ``SupersededError`` when the
        run of the ledger that this is done for was given up for dead.
        """
        with span("etl.land", source=source.name) as work, self.engine.begin() as connection:
            lock_source(connection, source.name)
            failure = failure or self._dated_ahead(connection, snapshot)
            # A catalog that came whole and is not understood yet may be read one day; half a walk never will.
            evidence = None if failure is None or isinstance(failure, ContractError) else str(failure)
            landed = landing.land(
                connection, snapshot, landed_at=self.now(connection), failure=evidence, archive=self.archive
            )
            # A saved one is handed in by somebody who wants it, as to ``backfill``.
            landing.confirm(connection, [landed.snapshot_id] if snapshot.origin is Origin.BACKFILL else ())
            work.tell(snapshot=landed.snapshot_id)
            if run_id is not None:
                ledger.land(connection, run_id, landed.snapshot_id)
            if failure is not None:
                history.mark(connection, landed, "failed", str(failure))
        structlog.get_logger().info("landed", source=source.name, snapshot=landed.snapshot_id, status=landed.status)
        if failure is not None:
            return result_of(landed, Loaded(status="failed"), error=str(failure))
        return self._loading(source).load_pending(landed, Prepared(pages=snapshot.pages))

    def rehearse(self, source: Source[Any], snapshot: Snapshot, failure: SourceError | None = None) -> Result:
        """Land and load in one transaction, and undo it."""
        with self.engine.connect() as connection:
            failure = failure or self._dated_ahead(connection, snapshot)
            if failure is not None:
                return Result(source=source.name, status="failed", observed_at=snapshot.observed_at, error=str(failure))
            lock_source(connection, source.name)
            landed = landing.land(connection, snapshot, landed_at=self.now(connection))
            result = self._loading(source).load(connection, landed, Prepared(pages=snapshot.pages))
            changed = tuple(changes.of_snapshot(connection, source.name, snapshot.observed_at))
            connection.rollback()
        return replace(result, changes=changed, snapshot_id=None)

    def release(self, source: Source[Any], snapshot_id: int) -> Result:
        """Load a snapshot at its own time because a person says so, unless it counts already.

        Raises ``UsageError`` when there is no such snapshot or it cannot count, ``ContractError`` when it cannot be
        read: then nothing has changed.
        """
        with self.engine.begin() as connection:
            lock_source(connection, source.name)
            released = judge.require(connection, snapshot_id)
            if released.status in history.COUNTED:
                return result_of(released, Loaded(status=released.status, reason=ALREADY))
            judge.require_releasable(connection, released)
            result = self._loading(source).load(connection, released, is_confirmed=True)
            if result.error is not None:
                raise ContractError(result.error)
        self.settle()
        return result

    def reject(self, snapshot_id: int) -> Result:
        """Refuse a snapshot because a person says so; one that counts is taken back: as if it had never come.

        Raises ``UsageError`` when there is no such snapshot, ``ContractError`` when one beside it is unreadable.
        """
        source = self.source_of(snapshot_id)
        with self.engine.begin() as connection:
            lock_source(connection, source.name)
            refused = judge.require(connection, snapshot_id)
            if refused.status == "rejected":
                return result_of(refused, Loaded(status="rejected", reason=ALREADY))
            read = reader(connection, source, self.archive)
            loaded = judge.reject(connection, refused, read, now=self.now(connection))
            follow(connection, source.name, loaded.moved_at)
        self.settle()
        return result_of(refused, loaded)

    def verify(self, source: Source[Any], *, is_applied: bool, progress: verification.Progress) -> Verdict:
        """Rebuild a source's history from its landed bytes and compare; with ``is_applied`` believe the rebuilt one."""
        with self.engine.connect() as connection:
            verdict = verification.verify(
                connection,
                source.name,
                reader(connection, source, self.archive),
                now=partial(self.now, connection),
                is_applied=is_applied,
                progress=progress,
            )
        if is_applied:
            self.settle()
        return verdict

    def known_sources(self) -> dict[str, Source[Any]]:
        """Every source that ever landed anything, configured or not, ready to read its bytes again."""
        with self.engine.connect() as connection:
            known = log.kinds_of_sources(connection)
        return {name: self._source(kind, name) for name, kind in known.items()}

    def source_of(self, snapshot_id: int) -> Source[Any]:
        """The source whose snapshot this is. Raises ``UsageError`` when there is no such snapshot."""
        with self.engine.connect() as connection:
            landed = judge.require(connection, snapshot_id)
        return self._source(landed.kind, landed.source)

    def _source(self, kind: str, name: str) -> Source[Any]:
        """A source as it was landed, whatever is configured of it."""
        source = kinds()[kind](name)
        source.quarantine_limit = self.quarantine_limit
        return source

    def settle(self) -> None:
        """Do what follows the loads of a command: link models, mark suspect prices, analyse large tables.

        A load stands without it, and the next command tries again.
        """
        steps: tuple[tuple[str, Callable[[Connection], object]], ...] = (
            ("models are not linked", identity.refresh),
            ("prices that look like mistakes are not marked", suspicion.refresh),
            ("not analysed", statistics.refresh),
        )
        for what, refresh in steps:
            try:
                with self.engine.begin() as connection:
                    refresh(connection)
            except Exception as error:  # noqa: BLE001  whatever goes wrong here, what was loaded is loaded
                structlog.get_logger().warning(what, because=in_short(error))

    def _latest_page(self, name: str) -> Page | None:
        with self.engine.connect() as connection:
            try:
                return landing.latest_page(connection, name, self.archive)
            # What is damaged or out of reach vouches for nothing: the catalog is asked for whole.
            except ContractError:
                return None

    def _prepared(
        self, source: Source[Any], snapshots: Iterable[Snapshot], begin: Begin, workers: int | None
    ) -> Iterator[bulk.Chunk]:
        """The snapshots ready to be landed and loaded, some at a time."""
        if not isinstance(snapshots, Saved):
            yield from map(bulk.alone, snapshots)
            return
        with begin() as connection:
            times = [entry.time for entry in snapshots.entries]
            known = repair.known_contents(connection, source.name, times, self.archive)
        yield from bulk.prepared(source, snapshots.entries, known, workers)

    def _dated_ahead(self, connection: Connection, snapshot: Snapshot) -> SourceError | None:
        """Return what is wrong with a live snapshot that was dated by a clock which is ahead; None when nothing is.

        Loaded, it would be what holds until its time has come, and hide all that is observed before.
        """
        why = future(snapshot.observed_at, self.now(connection)) if snapshot.origin is Origin.RUN else None
        if why is None:
            return None
        return ClockError(f"{snapshot.source}: the snapshot {why}: check the clock of this host, then run again")

    def _loading(self, source: Source[Any], begin: Begin | None = None, confirm: Confirm | None = nobody) -> Loading:
        return Loading(
            begin=begin or self.engine.begin,
            aside=self.engine.begin,
            source=source,
            now=self.now,
            doubt=self.doubt,
            archive=self.archive,
            confirm=confirm,
        )
