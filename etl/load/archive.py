"""Moves the bodies of old snapshots out of the database into a folder, and back; nothing is dropped by default.

In this order: the objects are written, synced and read back; then the manifest tells of them; then the database
records where they are; and only then, if that was asked for, drops its own. Killed in between, nothing is lost, and
the same command again completes it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import (
    ARRAY,
    Connection,
    Engine,
    LargeBinary,
    Row,
    Select,
    and_,
    any_,
    exists,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from etl.database.lock import trying
from etl.errors import ArchiveError
from etl.load import manifest, objects
from etl.load.bodies import fetch
from etl.load.locks import held, lock_source, renew
from etl.load.manifest import ArchivedPage, ArchivedSnapshot
from etl.load.raw import repair
from etl.load.tables import archived, content, page, raw_snapshot, snapshot, source

UNDECIDED = ("landed", "held")
"""What is still to be loaded or decided stays in the database whatever its age."""

Progress = Callable[[int, int], None]


@dataclass(kw_only=True, slots=True)
class Archiving:
    """What became of an archiving. ``bytes`` are those of the bodies in the folder that it wrote, as packed there."""

    folder: Path
    before: datetime
    snapshots: int = 0
    bodies: int = 0
    written: int = 0
    bytes: int = 0
    dropped: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What to archive where: snapshots observed ``before`` a moment, into ``folder``; ``archive`` as configured."""

    folder: Path
    before: datetime
    archive: Path | None
    is_dropped: bool
    now: datetime


def archive(engine: Engine, task: Task, progress: Progress) -> Archiving:
    """Have every snapshot from before a moment in a folder, and drop from the database what is, if asked to.

    Bodies that a younger snapshot shows as well are copied and stay. Raises ``ArchiveError``; nothing is dropped then.
    """
    done = Archiving(folder=task.folder, before=task.before)
    with _alone_in(task.folder), _alone(engine) as lock, engine.connect() as connection:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as reading:
            # One view of the database: what the manifest tells of has all its bodies in the folder.
            proven = _copy(reading, task, done, progress)
            done.snapshots = manifest.add(task.folder, _told(reading, task.before), task.now)
        with connection.begin():
            _record(connection, task, proven)
        if task.is_dropped:
            with connection.begin():
                renew(lock)
                done.dropped = _drop(connection, task.before, proven)
    return done


def restore(engine: Engine, archive: Path | None, progress: Progress) -> int:
    """Bring every archived body back into the database that is not there, or damaged there; gives how many came.

    Raises ``OutOfReachError``; what came before stays.
    """
    came = 0
    with _alone(engine), engine.connect() as connection:
        is_archived = exists().where(archived.c.sha256 == content.c.sha256)
        known = select(content.c.sha256, content.c.size).where(or_(content.c.body.is_(None), is_archived))
        wanted = connection.execute(known.order_by(content.c.sha256)).all()
        connection.rollback()
        for count, (sha256, size) in enumerate(wanted, 1):
            with connection.begin():
                packed = connection.scalar(select(content.c.body).where(content.c.sha256 == sha256))
                if packed is None or not repair.is_whole(packed, sha256, size):
                    came += repair.replace(connection, sha256, size, fetch(connection, sha256, size, archive))
            progress(count, len(wanted))
    return came


def _copy(connection: Connection, task: Task, done: Archiving, progress: Progress) -> list[bytes]:
    """Have every body in the folder, one at a time; gives those that the database has, now proven to be there."""
    bodies = connection.execute(_bodies(task.before)).all()
    done.bodies = len(bodies)
    proven = []
    for count, (sha256, size, is_here) in enumerate(bodies, 1):
        # A body that was dropped was proven then; `etl verify` reads all of them.
        if is_here or not objects.path_of(task.folder, sha256).exists():
            packed = connection.scalar(select(content.c.body).where(content.c.sha256 == sha256))
            packed = packed or fetch(connection, sha256, size, task.archive)
            if objects.put(task.folder, sha256, size, packed):
                done.written += 1
                done.bytes += len(packed)
            proven.append(sha256)
        progress(count, len(bodies))
    return proven


def _bodies(before: datetime) -> Select[bytes, int, bool]:
    """Every distinct body of the snapshots that go out, and whether the database has it."""
    of_page = exists().where(page.c.sha256 == content.c.sha256, page.c.snapshot_id.in_(_old(before)))
    return (
        select(content.c.sha256, content.c.size, content.c.body.is_not(None)).where(of_page).order_by(content.c.sha256)
    )


def _old(before: datetime) -> Select[int]:
    """The snapshots that go out."""
    return select(snapshot.c.snapshot_id).where(snapshot.c.observed_at < before, snapshot.c.status.not_in(UNDECIDED))


def _told(connection: Connection, before: datetime) -> Iterator[ArchivedSnapshot]:
    """The snapshots that go out, as the manifest tells of them; read bit by bit."""
    columns = (raw_snapshot, snapshot.c.status.label("verdict"))
    old = (
        select(*columns)
        .join_from(raw_snapshot, snapshot, snapshot.c.snapshot_id == raw_snapshot.c.snapshot_id)
        .where(raw_snapshot.c.snapshot_id.in_(_old(before)))
        .order_by(raw_snapshot.c.snapshot_id)
    )
    for rows in connection.execute(old, execution_options={"yield_per": 500}).partitions():
        pages = _pages(connection, [row.snapshot_id for row in rows])
        yield from (_snapshot(row, pages.get(row.snapshot_id, [])) for row in rows)


def _pages(connection: Connection, numbers: list[int]) -> dict[int, list[ArchivedPage]]:
    found: dict[int, list[ArchivedPage]] = {}
    of_them = (
        select(page, content.c.size)
        .join_from(page, content, page.c.sha256 == content.c.sha256)
        .where(page.c.snapshot_id.in_(numbers))
        .order_by(page.c.snapshot_id, page.c.number)
    )
    for row in connection.execute(of_them):
        told = {name: getattr(row, name) for name in ("number", "url", "status", "headers", "fetched_at", "size")}
        found.setdefault(row.snapshot_id, []).append(ArchivedPage(**told, sha256=row.sha256.hex()))
    return found


def _snapshot(row: Row, pages: list[ArchivedPage]) -> ArchivedSnapshot:  # type: ignore[type-arg]
    names = ("source", "kind", "origin", "observed_at", "landed_at", "snapshot_id", "failure", "verdict")
    return ArchivedSnapshot(**{name: getattr(row, name) for name in names}, pages=pages)


def _record(connection: Connection, task: Task, proven: list[bytes]) -> None:
    if proven:
        rows = [{"sha256": each, "folder": str(task.folder), "archived_at": task.now} for each in proven]
        connection.execute(upsert(archived).on_conflict_do_nothing(), rows)


def _drop(connection: Connection, before: datetime, proven: list[bytes]) -> int:
    """Drop the bodies that are proven to be in the folder and that no younger snapshot shows.

    Whoever lands holds the lock of its source until it commits, so that nothing younger can slip in between.
    """
    for name in connection.scalars(select(source.c.source).order_by(source.c.source)).all():
        lock_source(connection, name)
    is_young = or_(snapshot.c.observed_at >= before, snapshot.c.status.in_(UNDECIDED))
    shown = exists().where(page.c.sha256 == content.c.sha256, page.c.snapshot_id == snapshot.c.snapshot_id, is_young)
    there = content.c.sha256 == any_(literal(proven, ARRAY(LargeBinary)))
    unneeded = and_(there, content.c.body.is_not(None), ~shown)
    gone = connection.execute(update(content).where(unneeded).values(body=None).returning(content.c.sha256))
    return len(gone.all())


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Be the only one who writes into a folder, whichever warehouse it comes from."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with trying(folder / ".lock") as lock:
            if lock is None:
                raise ArchiveError(f"{folder}: another process archives into it: wait until it is done")
            yield
    except OSError as error:
        raise ArchiveError(f"{error.filename or folder}: {error.strerror}: name a folder that can be written") from None


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """Be the only one who moves bodies of this warehouse. Raises ``ArchiveError`` when another process does."""
    with held(engine, "archive") as lock:
        if lock is None:
            raise ArchiveError("another process archives this warehouse: wait until it is done")
        yield lock
