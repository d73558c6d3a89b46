"""Saved snapshots on disk, named by their time: ``<UTC>.json``, a folder ``<UTC>/`` of pages, or a folder of such."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from etl.domain.snapshot import Origin, Page, Snapshot
from etl.errors import ConfigurationError

_COMPACT = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)T(\d\d)[-:]?(\d\d)[-:]?(\d\d)(\.\d+)?Z")


def snapshots(source: str, kind: str, paths: Iterable[Path]) -> Iterator[Snapshot]:
    """The snapshots below the paths, oldest first, read one at a time.

    Raises ``ConfigurationError`` before the first one when a path is missing or a name tells no time.
    """
    found = sorted({entry.resolve(): time for path in paths for entry, time in _entries(path)}.items(), key=_by_time)
    if not found:
        raise ConfigurationError("no snapshots there: expected <UTC>.json files or <UTC>/ folders")
    return (_read(source, kind, entry, time) for entry, time in found)


def moment_of(name: str) -> datetime | None:
    """The UTC time that a name tells: 2025-10-21T05-10-55Z, 20251021T051055Z or ISO 8601; null when it tells none."""
    found = _COMPACT.fullmatch(name)
    iso = "{}-{}-{}T{}:{}:{}".format(*found.groups()[:6]) + (found[7] or "") + "Z" if found else name
    try:
        time = datetime.fromisoformat(iso)
    except ValueError:
        return None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _entries(path: Path) -> Iterator[tuple[Path, datetime]]:
    """The snapshots that a path given by a person means."""
    if not path.exists():
        raise ConfigurationError(f"{path} does not exist")
    time = _time(path)
    if time is not None:
        yield path, time
        return
    if not path.is_dir():
        raise ConfigurationError(f"{path} tells no time: name it like 2025-10-21T05-10-55Z.json")
    for entry in _visible(path):
        time = _time(entry)
        if time is None:
            raise ConfigurationError(
                f"{entry} tells no time: name it like 2025-10-21T05-10-55Z.json, or begin its name with _ to skip it"
            )
        yield entry, time


def _time(entry: Path) -> datetime | None:
    return moment_of(entry.name.removesuffix(".json") if entry.is_file() else entry.name)


def _visible(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith(("_", ".")))


def _by_time(found: tuple[Path, datetime]) -> tuple[datetime, Path]:
    return found[1], found[0]


def _read(source: str, kind: str, entry: Path, time: datetime) -> Snapshot:
    files = _visible(entry) if entry.is_dir() else [entry]
    pages = tuple(_page(number, file, time) for number, file in enumerate(files, 1))
    if not pages:
        raise ConfigurationError(f"{entry} holds no pages")
    return Snapshot(source=source, kind=kind, observed_at=time, origin=Origin.BACKFILL, pages=pages)


def _page(number: int, file: Path, time: datetime) -> Page:
    try:
        return Page(number=number, url=str(file), status=200, body=file.read_bytes(), fetched_at=time)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from None
