"""Measurements in a process of its own: ``python -m benchmarks._speed.child CONTENDER URL PLACE [TIME]``.

The place is one body, whose clock starts when it is in memory and everything is imported, and stops when the load is
committed. Without a time it is a folder, of which every body is loaded, in order of the times that the names tell.
"""

import importlib
import json
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks._peers.measuring import measure, peak_bytes


def one(contender: Any, url: str, file: Path, observed_at: datetime) -> None:
    """Measure one load."""
    body = file.read_bytes()
    measure(lambda: contender.load(url, body, observed_at))


def many(contender: Any, url: str, folder: Path) -> None:
    """Measure each load of a series and, where history can be proved, the rebuild that proves it."""
    told: dict[str, Any] = {"each": []}
    begun = whole = time.perf_counter()
    for _ in contender.backfill(url, _bodies(folder)):
        now = time.perf_counter()
        told["each"].append(now - begun)
        begun = now
    told["backfill"] = time.perf_counter() - whole
    if hasattr(contender, "verify"):
        begun = time.perf_counter()
        contender.verify(url)
        told["verify"] = time.perf_counter() - begun
    sys.stdout.write(json.dumps(told | {"peak": peak_bytes()}) + "\n")


def _bodies(folder: Path) -> Iterator[tuple[bytes, datetime]]:
    for file in sorted(folder.glob("*.json")):
        yield file.read_bytes(), datetime.fromisoformat(file.stem)


def main(name: str, url: str, place: str, observed_at: str = "") -> None:
    """Measure what stands at the place. Nothing is imported that the contender does not need."""
    contender = importlib.import_module(f"benchmarks._speed.{name}")
    if observed_at:
        one(contender, url, Path(place), datetime.fromisoformat(observed_at))
    else:
        many(contender, url, Path(place))


if __name__ == "__main__":
    main(*sys.argv[1:])
