"""The manifest of an archive: one line of JSON for each snapshot, enough to land it elsewhere with the objects alone.

Each archiving adds a numbered file to ``manifest/``; files are never changed. A snapshot that is told again, because
something became of it meanwhile, counts as it was told last.
"""

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

from etl.domain.snapshot import Origin, Page, Snapshot
from etl.errors import ArchiveError, ConfigurationError
from etl.load import objects

MANIFEST = "manifest"

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class ArchivedPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page: all that is known of it but its body, which is the object ``sha256`` of ``size`` bytes."""

    number: int
    url: str
    status: int
    headers: dict[str, str]
    fetched_at: Moment
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    size: int


class ArchivedSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One snapshot as an archive keeps it; ``verdict`` is what became of it, ``failure`` why its walk was given up."""

    source: str
    kind: str
    origin: str
    observed_at: Moment
    landed_at: Moment
    snapshot_id: int
    failure: str | None
    verdict: str
    pages: list[ArchivedPage]

    def restored(self, folder: Path) -> Snapshot:
        """The snapshot with its bodies, to be landed as a backfill. Raises ``ArchiveError`` when one is missing."""
        return Snapshot(
            source=self.source,
            kind=self.kind,
            observed_at=self.observed_at,
            origin=Origin.BACKFILL,
            pages=tuple(_page(folder, page) for page in self.pages),
        )


def is_archive(path: Path) -> bool:
    """Whether a folder is an archive."""
    return (path / MANIFEST).is_dir() and (path / objects.OBJECTS).is_dir()


def add(folder: Path, snapshots: Iterable[ArchivedSnapshot], now: datetime) -> int:
    """Tell of snapshots in one new file, those that are told so already left out; gives how many were new.

    The caller is alone in the folder. Raises ``ArchiveError``.
    """
    told = {_digest(line) for _, line in _lines(folder)}
    lines = (line for each in snapshots if _digest(line := _ENCODER.encode(each)) not in told)
    first = next(lines, None)
    if first is None:
        return 0
    # Numbers, because clocks go back; the time is for people.
    number = max((int(file.name[:6]) for file in _files(folder)), default=0) + 1
    count = itertools.count()
    ended = (line + b"\n" for line, _ in zip(itertools.chain([first], lines), count, strict=False))
    objects.write(folder / MANIFEST / f"{number:06}-{now:%Y%m%dT%H%M%SZ}.jsonl", ended)
    return next(count)


def read(folder: Path, source: str) -> list[ArchivedSnapshot]:
    """The snapshots that an archive has of a source, as they were told last, in order of time.

    Raises ``ConfigurationError`` when it has none, or for a line that is none of a manifest.
    """
    found = {}
    others = set()
    for place, line in _lines(folder):
        told = _told(place, line)
        if told.source == source:
            found[told.snapshot_id, told.landed_at] = told
        else:
            others.add(told.source)
    if not found:
        there = ", ".join(sorted(others)) or "nothing"
        raise ConfigurationError(f"{folder} has no snapshots of {source}: it has {there}")
    return sorted(found.values(), key=lambda each: (each.observed_at, each.snapshot_id))


def sources(folder: Path) -> list[str]:
    """The sources of which an archive tells. Raises ``ConfigurationError`` for a line that is none of a manifest."""
    return sorted({_told(place, line).source for place, line in _lines(folder)})


def _told(place: str, line: bytes) -> ArchivedSnapshot:
    try:
        return _DECODER.decode(line)
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"{place}: no line of a manifest: {error}; put back a good copy") from None


def _lines(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every line of every file, the oldest file first, each with its place."""
    for file in _files(folder):
        try:
            lines = file.read_bytes().splitlines()
        except OSError as error:
            raise ArchiveError(f"{file}: {error.strerror}") from None
        yield from ((f"{file}:{number}", line) for number, line in enumerate(lines, 1))


def _files(folder: Path) -> list[Path]:
    return sorted((folder / MANIFEST).glob("[0-9][0-9][0-9][0-9][0-9][0-9]-*.jsonl"))


def _digest(line: bytes) -> bytes:
    return hashlib.sha256(line).digest()


def _page(folder: Path, page: ArchivedPage) -> Page:
    sha256 = bytes.fromhex(page.sha256)
    packed = objects.read(folder, sha256, page.size)
    if packed is None:
        raise ArchiveError(f"{objects.path_of(folder, sha256)} is missing: put back a good copy of this file")
    return Page(
        number=page.number,
        url=page.url,
        status=page.status,
        body=objects.unpack(packed, sha256, page.size),
        fetched_at=page.fetched_at,
        headers=page.headers,
    )


_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(ArchivedSnapshot)
