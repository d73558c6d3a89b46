"""Saved snapshots on disk, named by their time: ``<UTC>.json``, a folder ``<UTC>/`` of pages, or a folder of such.

An archive of ``etl raw archive`` is one as well: its manifest tells the times.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from etl.domain.snapshot import Origin, Page, Snapshot
from etl.errors import ConfigurationError
from etl.load import manifest
from etl.load.manifest import ArchivedSnapshot
from etl.sources.registry import kinds

_COMPACT = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)T(\d\d)[-:]?(\d\d)[-:]?(\d\d)(\.\d+)?Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One saved snapshot that was found and not read yet: its time, and the files of its pages in order."""

    time: datetime
    files: tuple[Path, ...]

    @property
    def size(self) -> int:
        """The bytes of its pages, as far as the files tell."""
        with suppress(OSError):
            return sum(file.stat().st_size for file in self.files)
        return 0

    def read(self, source: str, kind: str) -> Snapshot:
        """The snapshot. Raises ``ConfigurationError`` when a file vanished."""
        pages = tuple(_page(number, file, self.time) for number, file in enumerate(self.files, 1))
        return Snapshot(source=source, kind=kind, observed_at=self.time, origin=Origin.BACKFILL, pages=pages)


@dataclass(frozen=True, kw_only=True, slots=True)
class Archived:
    """One snapshot of an archive, not read yet; the archive knows of which source and kind it is."""

    time: datetime
    folder: Path
    told: ArchivedSnapshot = field(compare=False)

    @property
    def size(self) -> int:
        """The bytes of its pages."""
        return sum(page.size for page in self.told.pages)

    def read(self, source: str, kind: str) -> Snapshot:
        """The snapshot. Raises ``ArchiveError`` when a body is missing or damaged."""
        del source, kind
        return self.told.restored(self.folder)


@dataclass(frozen=True, kw_only=True, slots=True)
class Saved:
    """Saved snapshots of one source, oldest first: counted at once, read one at a time."""

    source: str
    kind: str
    entries: tuple[Entry | Archived, ...]

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Snapshot]:
        return (entry.read(self.source, self.kind) for entry in self.entries)


def snapshots(source: str, kind: str, paths: Iterable[Path]) -> Saved:
    """The snapshots below the paths, each once.

    Raises ``ConfigurationError`` when a path is missing, a name tells no time, or there is nothing to read.
    """
    found = {entry for path in paths for entry in _found(source, path)}
    if not found:
        raise ConfigurationError("no snapshots there: expected <UTC>.json files or <UTC>/ folders")
    return Saved(source=source, kind=kind, entries=tuple(sorted(found, key=lambda entry: (entry.time, str(entry)))))


def _found(source: str, path: Path) -> Iterator[Entry | Archived]:
    if manifest.is_archive(path):
        yield from _archived(source, path)
    else:
        yield from (Entry(time=time, files=_pages(entry)) for entry, time in _entries(path))


def _archived(source: str, folder: Path) -> Iterator[Archived]:
    """What an archive has of a source and speaks: walks that were given up and what was rejected do not.

    Of several with one time, one that did not fail replaced the others, as it did where they come from.
    """
    told = manifest.read(folder, source)
    speaking = [each for each in told if each.pages and not each.failure and each.verdict != "rejected"]
    if unknown := {each.kind for each in speaking} - kinds().keys():
        raise ConfigurationError(f"{folder} has snapshots of the kind {unknown.pop()}: this version knows none")
    by_time = {each.observed_at: each for each in sorted(speaking, key=lambda each: each.verdict != "failed")}
    yield from (Archived(time=at, folder=folder.resolve(), told=each) for at, each in by_time.items())


def moment_of(name: str) -> datetime | None:
    """The UTC time that a name tells: 2025-10-21T05-10-55Z, 20251021T051055Z or ISO 8601; null when it tells none."""
    found = _COMPACT.fullmatch(name)
    iso = "{}-{}-{}T{}:{}:{}".format(*found.groups()[:6]) + (found[7] or "") + "Z" if found else name
    try:
        time = datetime.fromisoformat(iso)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _entries(path: Path) -> Iterator[tuple[Path, datetime]]:
    """The snapshots that a path given by a person means, or a path below it."""
    if not path.exists():
        raise ConfigurationError(f"{path} does not exist")
    time = _time(path)
    if time is not None and not _is_shelf(path):
        yield path, time
    elif path.is_dir():
        for entry in _visible(path):
            yield from _entries(entry)
    else:
        raise ConfigurationError(
            f"{path} tells no time: name it like 2025-10-21T05-10-55Z.json, or begin its name with _ to skip it"
        )


def _is_shelf(path: Path) -> bool:
    """Whether it is a folder of snapshots that happens to be named by a day: what lies in it tells times itself."""
    return path.is_dir() and all(_time(entry) is not None for entry in _visible(path)) and any(_visible(path))


def _time(entry: Path) -> datetime | None:
    return moment_of(entry.name.removesuffix(".json") if entry.is_file() else entry.name)


def _visible(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith(("_", ".")))


def _pages(entry: Path) -> tuple[Path, ...]:
    """The files of one snapshot. Raises ``ConfigurationError`` unless there are some and all can be read."""
    files = tuple(path.resolve() for path in (_visible(entry) if entry.is_dir() else [entry]))
    if not files:
        raise ConfigurationError(f"{entry} holds no pages")
    for file in files:
        if not file.is_file() or not os.access(file, os.R_OK):
            raise ConfigurationError(f"{file} is no file that can be read")
    return files


def _page(number: int, file: Path, time: datetime) -> Page:
    try:
        return Page(number=number, url=str(file), status=200, body=file.read_bytes(), fetched_at=time)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from None
