"""Lands what came, before anything is understood: pages byte for byte, each content stored once.

The caller owns the transaction and commits it before it reads the bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import zstandard
from sqlalchemy import ColumnElement, Connection, Row, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from etl.domain.snapshot import Origin, Page, Snapshot
from etl.errors import ConflictError
from etl.load.bodies import body_of
from etl.load.tables import content, page, raw_snapshot, snapshot, source

LEVEL = 9
"""zstd level: catalogs are text that repeats itself; higher levels cost much time for a few percent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Landed:
    """One snapshot as it lies in the database."""

    snapshot_id: int
    source: str
    kind: str
    origin: Origin
    observed_at: datetime
    fingerprint: bytes
    status: str


def land(connection: Connection, landing: Snapshot, *, landed_at: datetime, failure: str | None = None) -> Landed:
    """Store a snapshot as ``landed``, or as ``failed`` evidence of a walk that was given up.

    Bytes that are already there under the same time are returned as they are, so that landing twice is landing once;
    if they could not be read then, they are read again.
    Raises ``ConflictError`` when this source has another snapshot with the same time.
    """
    connection.execute(
        upsert(source)
        .values(source=landing.source, kind=landing.kind)
        .on_conflict_do_update(index_elements=["source"], set_={"kind": landing.kind})
    )
    known = _same_time(connection, landing) if failure is None else None
    if known is not None:
        return _again(connection, known)
    snapshot_id = _insert(connection, landing, landed_at, failure)
    status = "landed" if failure is None else "failed"
    connection.execute(
        insert(snapshot).values(
            snapshot_id=snapshot_id,
            source=landing.source,
            observed_at=landing.observed_at,
            status=status,
            reason=failure,
        )
    )
    return Landed(
        snapshot_id=snapshot_id,
        source=landing.source,
        kind=landing.kind,
        origin=landing.origin,
        observed_at=landing.observed_at,
        fingerprint=landing.fingerprint,
        status=status,
    )


def landed_of(connection: Connection, *conditions: ColumnElement[bool]) -> list[Landed]:
    """The snapshots that meet conditions on ``core.snapshot``, in order of time."""
    found = _LANDED.where(*conditions).order_by(snapshot.c.observed_at, snapshot.c.snapshot_id)
    return [_landed(row) for row in connection.execute(found)]


def landed(connection: Connection, snapshot_id: int) -> Landed | None:
    """One snapshot by its number; null when there is none."""
    return next(iter(landed_of(connection, snapshot.c.snapshot_id == snapshot_id)), None)


def pending(connection: Connection, name: str) -> list[Landed]:
    """The source's snapshots that are landed and not loaded, in order of time."""
    return landed_of(connection, snapshot.c.source == name, snapshot.c.status == "landed")


def pages_of(connection: Connection, snapshot_id: int, archive: Path | None = None) -> tuple[Page, ...]:
    """The pages of a snapshot, byte for byte; ``archive`` is where archived bodies are, if not where they were put.

    Raises ``ContractError`` when the stored bytes are not those that were landed, or are out of reach.
    """
    rows = connection.execute(
        select(page, content.c.body, content.c.size)
        .join_from(page, content, page.c.sha256 == content.c.sha256)
        .where(page.c.snapshot_id == snapshot_id)
        .order_by(page.c.number)
    ).all()
    return tuple(_whole_page(connection, row, archive) for row in rows)


def latest_page(connection: Connection, name: str, archive: Path | None = None) -> Page | None:
    """The first page of the source's last good live snapshot: what its validators vouch for."""
    newest = connection.scalar(
        select(snapshot.c.snapshot_id)
        .join_from(snapshot, raw_snapshot, snapshot.c.snapshot_id == raw_snapshot.c.snapshot_id)
        .where(
            snapshot.c.source == name,
            raw_snapshot.c.origin == Origin.RUN,
            snapshot.c.status.in_(("loaded", "unchanged")),
        )
        .order_by(snapshot.c.observed_at.desc())
        .limit(1)
    )
    return None if newest is None else next(iter(pages_of(connection, newest, archive)), None)


def _whole_page(connection: Connection, row: Row, archive: Path | None) -> Page:  # type: ignore[type-arg]
    """A page as it came."""
    return Page(
        number=row.number,
        url=row.url,
        status=row.status,
        body=body_of(connection, row.url, row.sha256, row.size, row.body, archive),
        fetched_at=row.fetched_at,
        headers=row.headers,
    )


def _same_time(connection: Connection, landing: Snapshot) -> Landed | None:
    """The snapshot of this source and time that is already there, if it has the same bytes."""
    found = connection.execute(
        _LANDED.where(
            snapshot.c.source == landing.source,
            snapshot.c.observed_at == landing.observed_at,
            raw_snapshot.c.failure.is_(None),
        ).order_by(snapshot.c.snapshot_id.desc())
    ).all()
    for row in found:
        if row.fingerprint == landing.fingerprint:
            return _landed(row)
    counted = next((row for row in found if row.status not in ("failed", "rejected")), None)
    if counted is not None:
        raise ConflictError(
            f"{landing.source}: {landing.pages[0].url} has the time {landing.observed_at.isoformat()} of snapshot "
            f"{counted.snapshot_id} ({counted.url}) but other content: one of the two times is wrong"
        )
    return None


def _again(connection: Connection, known: Landed) -> Landed:
    """A snapshot that is there already; one that failed gets another chance, for the reading may have improved."""
    if known.status != "failed":
        return known
    chance = update(snapshot).where(snapshot.c.snapshot_id == known.snapshot_id).values(status="landed", reason=None)
    connection.execute(chance)
    return replace(known, status="landed")


def _insert(connection: Connection, landing: Snapshot, landed_at: datetime, failure: str | None) -> int:
    snapshot_id: int = connection.execute(
        insert(raw_snapshot)
        .values(
            source=landing.source,
            kind=landing.kind,
            origin=landing.origin,
            observed_at=landing.observed_at,
            landed_at=landed_at,
            fingerprint=landing.fingerprint,
            failure=failure,
        )
        .returning(raw_snapshot.c.snapshot_id)
    ).scalar_one()
    contents = list(_contents(connection, landing))
    if contents:
        connection.execute(_STORE, contents)
    if landing.pages:
        connection.execute(insert(page), [_page(snapshot_id, each) for each in landing.pages])
    return snapshot_id


def _contents(connection: Connection, landing: Snapshot) -> Iterator[dict[str, object]]:
    """The contents that are not there, or not any more, compressed; what is there is not compressed in vain."""
    wanted = {each.sha256: each.body for each in landing.pages}
    is_there = content.c.sha256.in_(wanted) & content.c.body.is_not(None)
    there = set(connection.scalars(select(content.c.sha256).where(is_there)))
    packer = zstandard.ZstdCompressor(level=LEVEL)
    for digest, body in sorted(wanted.items()):  # In one order, lest two that land the same wait for each other.
        if digest not in there:
            yield {"sha256": digest, "size": len(body), "body": packer.compress(body)}


def _page(snapshot_id: int, landing: Page) -> dict[str, object]:
    return {
        "snapshot_id": snapshot_id,
        "number": landing.number,
        "url": landing.url,
        "status": landing.status,
        "headers": dict(landing.headers),
        "fetched_at": landing.fetched_at,
        "sha256": landing.sha256,
    }


_STORED = upsert(content)
_STORE = _STORED.on_conflict_do_update(
    index_elements=["sha256"], set_={"body": _STORED.excluded.body}, where=content.c.body.is_(None)
)

_LANDED = (
    select(
        snapshot.c.snapshot_id,
        snapshot.c.source,
        raw_snapshot.c.kind,
        raw_snapshot.c.origin,
        snapshot.c.observed_at,
        raw_snapshot.c.fingerprint,
        snapshot.c.status,
        select(page.c.url)
        .where(page.c.snapshot_id == snapshot.c.snapshot_id)
        .order_by(page.c.number)
        .limit(1)
        .scalar_subquery()
        .label("url"),
    )
    .select_from(snapshot)
    .join(raw_snapshot, raw_snapshot.c.snapshot_id == snapshot.c.snapshot_id)
)


def _landed(row: Row) -> Landed:  # type: ignore[type-arg]
    return Landed(
        snapshot_id=row.snapshot_id,
        source=row.source,
        kind=row.kind,
        origin=Origin(row.origin),
        observed_at=row.observed_at,
        fingerprint=row.fingerprint,
        status=row.status,
    )
