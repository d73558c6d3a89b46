"""The line that every snapshot takes, spelled once: walk, land, read, load.

Two commits for each snapshot: the bytes, then everything they mean. A failure to understand never loses what was
heard; what is landed and not loaded is loaded by the next run.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine

from etl.config import ConfiguredSource, Settings
from etl.domain.snapshot import Origin, Snapshot
from etl.errors import ContractError, EtlError, SourceError
from etl.extract.client import Limits, Secret, Validators
from etl.extract.walk import Outcome, fetch_snapshot
from etl.load import changes, history, landing
from etl.load.landing import Landed
from etl.sources.base import Source

Clock = Callable[[], datetime]


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What became of one source's snapshot: a row of the log, and what it changed.

    ``status`` is that of ``mart.snapshot``; ``error`` is set when it failed, in one line.
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
    changes: tuple[dict[str, Any], ...] = ()

    @property
    def is_well(self) -> bool:
        """Whether nothing failed and nothing is held."""
        return self.status in history.COUNTED


def run(
    sources: Iterable[ConfiguredSource], settings: Settings, engine: Engine, clock: Clock, *, is_dry: bool = False
) -> Iterator[Result]:
    """One snapshot now of each source, concurrently; results come as they are ready."""
    asked = list(sources)
    with ThreadPoolExecutor(max_workers=max(1, len(asked)), thread_name_prefix="source") as pool:
        waiting = {pool.submit(_run_one, source, settings, engine, clock, is_dry): source for source in asked}
        for done in as_completed(waiting):
            yield done.result()


def backfill(
    source: Source[Any], snapshots: Iterable[Snapshot], engine: Engine, clock: Clock
) -> Iterator[Result]:
    """Land and load saved snapshots, one after the other."""
    for snapshot in snapshots:
        try:
            yield take(source, snapshot, engine, clock, failure=None)
        except SourceError as error:
            yield Result(source=source.name, status="failed", observed_at=snapshot.observed_at, error=str(error))


def take(
    source: Source[Any], snapshot: Snapshot, engine: Engine, clock: Clock, failure: SourceError | None
) -> Result:
    """Land a snapshot in one transaction and load it in the next; with ``failure`` its pages are only evidence.

    Raises ``ConflictError`` when the source has another snapshot with the same time.
    """
    with engine.begin() as connection:
        landing.lock_source(connection, source.name)
        landed = landing.land(connection, snapshot, landed_at=clock(), failure=str(failure) if failure else None)
    if failure is not None:
        return _result(landed, "failed", error=str(failure))
    return _load_pending(source, landed, engine, clock)


def load_landed(connection: Connection, source: Source[Any], landed: Landed, clock: Clock) -> Result:
    """Read a landed snapshot and load it, in the caller's transaction and under the source's lock."""
    try:
        catalog = source.read(landing.pages_of(connection, landed.snapshot_id))
    except ContractError as error:
        history.fail(connection, landed, str(error))
        return _result(landed, "failed", error=f"{landed.source}: snapshot {landed.snapshot_id}: {error}")
    loaded = history.load(connection, landed, catalog, now=clock())
    return Result(
        source=landed.source,
        snapshot_id=landed.snapshot_id,
        observed_at=landed.observed_at,
        status=loaded.status,
        reason=loaded.reason,
        opened=loaded.opened,
        closed=loaded.closed,
        quarantined=loaded.quarantined,
        unmapped=loaded.unmapped,
        changes=tuple(changes.of_snapshot(connection, landed.source, landed.observed_at)),
    )


def _run_one(configured: ConfiguredSource, settings: Settings, engine: Engine, clock: Clock, is_dry: bool) -> Result:  # noqa: FBT001
    """One source from the network to history. Whatever goes wrong stays with this source."""
    try:
        outcome = _walk(configured, settings, engine, clock)
        snapshot = Snapshot(
            source=configured.name,
            kind=configured.kind,
            observed_at=outcome.observed_at or clock(),
            origin=Origin.RUN,
            pages=outcome.pages,
        )
        if is_dry:
            return _rehearse(configured.source, snapshot, engine, clock, outcome.error)
        return take(configured.source, snapshot, engine, clock, failure=outcome.error)
    except EtlError as error:
        return Result(source=configured.name, status="failed", error=str(error))
    except Exception as error:  # noqa: BLE001  one of the two places: what fails here must not stop the other sources
        text = " ".join(f"{type(error).__name__}: {error}".split())[:500]
        return Result(source=configured.name, status="failed", error=f"{configured.name}: {text}")


def _walk(configured: ConfiguredSource, settings: Settings, engine: Engine, clock: Clock) -> Outcome:
    credential = configured.source.credential
    secret = (
        Secret(
            header=credential.header,
            value=credential.prefix + configured.secret,
            variable=str(configured.credential),
        )
        if credential is not None and configured.secret is not None
        else None
    )
    limits = Limits(
        timeout_seconds=configured.settings.timeout_seconds,
        max_page_bytes=settings.max_page_bytes,
        max_pages=settings.max_pages,
    )
    return fetch_snapshot(
        configured.source,
        url=configured.url,
        clock=clock,
        secret=secret,
        limits=limits,
        ca_file=settings.ca_file,
        validators=_validators(engine, configured.name),
    )


def _validators(engine: Engine, name: str) -> Validators | None:
    """What the server gave with the last good snapshot, so that it can answer: not modified."""
    with engine.connect() as connection:
        page = landing.latest_page(connection, name)
    if page is None or not {"etag", "last-modified"} & page.headers.keys():
        return None
    return Validators(etag=page.headers.get("etag"), last_modified=page.headers.get("last-modified"), body=page.body)


def _load_pending(source: Source[Any], landed: Landed, engine: Engine, clock: Clock) -> Result:
    """Load what is landed and not loaded, oldest first: this snapshot, and any that a crash left behind."""
    result = _result(landed, landed.status)
    while True:
        with engine.begin() as connection:
            landing.lock_source(connection, source.name)
            waiting = landing.pending(connection, source.name)
            if not waiting:
                return result
            done = load_landed(connection, source, waiting[0], clock)
        if waiting[0].snapshot_id == landed.snapshot_id:
            result = done


def _rehearse(
    source: Source[Any], snapshot: Snapshot, engine: Engine, clock: Clock, failure: SourceError | None
) -> Result:
    """Land and load in a transaction that is undone: what would change, with nothing written."""
    if failure is not None:
        return Result(source=source.name, status="failed", observed_at=snapshot.observed_at, error=str(failure))
    with engine.connect() as connection:
        landing.lock_source(connection, source.name)
        landed = landing.land(connection, snapshot, landed_at=clock())
        result = load_landed(connection, source, landed, clock)
        connection.rollback()
    return result


def _result(landed: Landed, status: str, error: str | None = None) -> Result:
    return Result(
        source=landed.source,
        snapshot_id=landed.snapshot_id,
        observed_at=landed.observed_at,
        status=status,
        error=error,
    )
