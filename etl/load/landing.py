"""Lands what came, before anything is understood: pages byte for byte, each content stored once.

The caller owns the transaction and commits it before it reads the bytes.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Row, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from etl.domain.snapshot import Origin, Page, Snapshot
from etl.errors import ConflictError, DamagedError
from etl.load.bodies import body_of
from etl.load.parcel import Parcel, parcel_of
from etl.load.store import heal, store
from etl.load.tables import content, page, raw_snapshot, snapshot, source

MOST_ATTEMPTS = 2
"""Loads that are begun of one snapshot; a third one is not (see ``attempts.py``)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Landed:
    """One snapshot as it lies in the database.

    ``attempts`` counts how often its load was begun, ``is_new`` says that it was landed just now.
    """

    snapshot_id: int
    source: str
    kind: str
    origin: Origin
    observed_at: datetime
    fingerprint: bytes
    status: str
    is_confirmed: bool = False
    attempts: int = field(default=0, compare=False)
    is_new: bool = field(default=False, compare=False)


def land(
    connection: Connection,
    landing: Snapshot,
    *,
    landed_at: datetime,
    failure: str | None = None,
    archive: Path | None = None,
) -> Landed:
    """Store a snapshot as ``landed``, or as ``failed`` evidence of a walk that was given up.

    Bytes that are already there under the same time are returned as they are, so that landing twice is landing once;
    if they could not be read then, they are read again, and where they are damaged they are replaced.
    Raises ``ConflictError`` when this source has another snapshot with the same time.
    """
    [landed] = land_all(connection, [parcel_of(landing)], landed_at=landed_at, failure=failure, archive=archive)
    if isinstance(landed, ConflictError):
        raise landed
    return landed


def land_all(
    connection: Connection,
    parcels: Sequence[Parcel],
    *,
    landed_at: datetime,
    failure: str | None = None,
    archive: Path | None = None,
) -> list[Landed | ConflictError]:
    """Store snapshots of one source, no two of one time, each as ``land`` would; what it would raise is returned."""
    name, kind = parcels[-1].source, parcels[-1].kind
    connection.execute(
        upsert(source)
        .values(source=name, kind=kind)
        .on_conflict_do_update(index_elements=["source"], set_={"kind": kind})
    )
    there = _same_times(connection, name, [each.observed_at for each in parcels]) if failure is None else {}
    known = [_known(parcel, there.get(parcel.observed_at, ())) for parcel in parcels]
    _again(connection, [each for each in known if isinstance(each, Landed)])
    heal(connection, [parcel for parcel, found in zip(parcels, known, strict=True) if found is not None], archive)
    new = [parcel for parcel, found in zip(parcels, known, strict=True) if found is None]
    ids = iter(store(connection, new, landed_at=landed_at, failure=failure) if new else ())
    status = "landed" if failure is None else "failed"
    return [
        _landed_as(parcel, next(ids), status) if found is None else _with_a_chance(found)
        for parcel, found in zip(parcels, known, strict=True)
    ]


def landed_of(connection: Connection, *conditions: ColumnElement[bool]) -> list[Landed]:
    """The snapshots that meet conditions on ``core.snapshot``, in order of time."""
    found = _LANDED.where(*conditions).order_by(snapshot.c.observed_at, snapshot.c.snapshot_id)
    return [_landed(row) for row in connection.execute(found)]


def landed(connection: Connection, snapshot_id: int) -> Landed | None:
    """One snapshot by its number; null when there is none."""
    return next(iter(landed_of(connection, snapshot.c.snapshot_id == snapshot_id)), None)


def verdicts(connection: Connection, of: Iterable[Landed]) -> dict[int, tuple[str, str | None]]:
    """What the log says of snapshots by their numbers: status and reason."""
    numbers = [each.snapshot_id for each in of]
    columns = (snapshot.c.snapshot_id, snapshot.c.status, snapshot.c.reason)
    found = connection.execute(select(*columns).where(snapshot.c.snapshot_id.in_(numbers))) if numbers else ()
    return {row.snapshot_id: (row.status, row.reason) for row in found}


def next_pending(connection: Connection, name: str) -> Landed | None:
    """The oldest of the source's snapshots that are landed and not loaded.

    One with the very bytes of another that was set aside had as many attempts, unless a person wants it to be tried.
    """
    waiting = _LANDED.add_columns(_is_like_one_set_aside()).where(
        snapshot.c.source == name, snapshot.c.status == "landed"
    )
    row = connection.execute(waiting.order_by(snapshot.c.observed_at, snapshot.c.snapshot_id).limit(1)).first()
    if row is None:
        return None
    found = _landed(row)
    return replace(found, attempts=MOST_ATTEMPTS) if row.is_like_one_set_aside and found.attempts else found


def confirm(connection: Connection, numbers: Collection[int]) -> None:
    """Write down that a person wants landed or held snapshots loaded, whichever process then does so."""
    if numbers:
        waiting = snapshot.c.snapshot_id.in_(numbers), snapshot.c.status.in_(("landed", "held"))
        confirmed = {"status": "landed", "reason": None, "is_confirmed": True}
        connection.execute(update(snapshot).where(*waiting).values(confirmed))


def pages_of(connection: Connection, snapshot_id: int, archive: Path | None = None) -> tuple[Page, ...]:
    """The pages of a snapshot, byte for byte; ``archive`` is where archived bodies are, if not where they were put.

    Raises ``DamagedError`` when the stored bytes are not those that were landed, ``OutOfReachError``.
    """
    rows = connection.execute(
        select(page, content.c.body, content.c.size, raw_snapshot.c.source, raw_snapshot.c.observed_at)
        .join_from(page, content, page.c.sha256 == content.c.sha256)
        .join(raw_snapshot, raw_snapshot.c.snapshot_id == page.c.snapshot_id)
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
    """A page as it came. Raises what ``body_of`` raises, with what to do."""
    try:
        body = body_of(connection, row.sha256, row.size, row.body, archive)
    except DamagedError as error:
        name = f"{row.observed_at.astimezone(UTC):%Y-%m-%dT%H-%M-%SZ}"
        raise DamagedError(
            f"page {row.number} ({row.url}): {error}: land the same bytes again "
            f"(`etl backfill {row.source} PATH`, PATH named {name}), or `etl raw restore` if they are archived"
        ) from None
    return Page(
        number=row.number,
        url=row.url,
        status=row.status,
        body=body,
        fetched_at=row.fetched_at,
        headers=row.headers,
    )


def _same_times(connection: Connection, name: str, times: Sequence[datetime]) -> dict[datetime, list[Row]]:  # type: ignore[type-arg]
    """The snapshots of a source that are already there by their times, those that never were a walk left out."""
    found = connection.execute(
        _LANDED.where(
            snapshot.c.source == name, snapshot.c.observed_at.in_(times), raw_snapshot.c.failure.is_(None)
        ).order_by(snapshot.c.snapshot_id.desc())
    ).all()
    there: dict[datetime, list[Row]] = {}  # type: ignore[type-arg]
    for row in found:
        there.setdefault(row.observed_at, []).append(row)
    return there


def _known(parcel: Parcel, there: Iterable[Row]) -> Landed | ConflictError | None:  # type: ignore[type-arg]
    """What is there with the same bytes, or what the same time with other content means; null when it is new."""
    same = next((row for row in there if row.fingerprint == parcel.fingerprint), None)
    if same is not None:
        return _landed(same)
    counted = next((row for row in there if row.status not in ("failed", "rejected")), None)
    if counted is None:
        return None
    return ConflictError(
        f"{parcel.source}: {parcel.url} has the time {parcel.observed_at.isoformat()} of snapshot "
        f"{counted.snapshot_id} ({counted.url}) but other content: one of the two times is wrong"
    )


def _again(connection: Connection, known: Iterable[Landed]) -> None:
    """Give another chance to those that failed, for the reading may have improved, and to saved ones that are held."""
    again = [each.snapshot_id for each in known if _has_a_chance(each)]
    if again:
        chance = update(snapshot).where(snapshot.c.snapshot_id.in_(again))
        chance = chance.values(status="landed", reason=None, attempts=0)
        connection.execute(chance)


def _has_a_chance(known: Landed) -> bool:
    """Whether landing it again loads it again: the person who does so may confirm it now. What is rejected stays so."""
    return known.status == "failed" or (known.status == "held" and known.origin is Origin.BACKFILL)


def _with_a_chance(known: Landed | ConflictError) -> Landed | ConflictError:
    return replace(known, status="landed", attempts=0) if isinstance(known, Landed) and _has_a_chance(known) else known


def _is_like_one_set_aside() -> ColumnElement[bool]:
    """Whether the source has a snapshot with the same bytes that was set aside."""
    aside, bytes_of = snapshot.alias("aside"), raw_snapshot.alias("bytes_of")
    same = (aside.c.source == snapshot.c.source) & (bytes_of.c.fingerprint == raw_snapshot.c.fingerprint)
    found = select(aside.c.snapshot_id).join(bytes_of, bytes_of.c.snapshot_id == aside.c.snapshot_id)
    is_aside = (aside.c.status == literal_column("'failed'")) & (aside.c.attempts > literal_column("0"))
    return found.where(same, is_aside).correlate(snapshot, raw_snapshot).exists().label("is_like_one_set_aside")


_LANDED = (
    select(
        snapshot.c.snapshot_id,
        snapshot.c.source,
        raw_snapshot.c.kind,
        raw_snapshot.c.origin,
        snapshot.c.observed_at,
        raw_snapshot.c.fingerprint,
        snapshot.c.status,
        snapshot.c.attempts,
        snapshot.c.is_confirmed,
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
        attempts=row.attempts,
        is_confirmed=row.is_confirmed,
    )


def _landed_as(parcel: Parcel, snapshot_id: int, status: str) -> Landed:
    return Landed(
        snapshot_id=snapshot_id,
        source=parcel.source,
        kind=parcel.kind,
        origin=parcel.origin,
        observed_at=parcel.observed_at,
        fingerprint=parcel.fingerprint,
        status=status,
        attempts=1,
        is_new=True,
    )
