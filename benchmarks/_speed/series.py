"""Many snapshots, one after the other: invented small ones that come and go, and recorded ones where there are any."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks._speed import catalog, change
from benchmarks._speed.contenders import LIMIT, OURS, Contender
from benchmarks._speed.databases import Databases, Facts
from benchmarks._speed.environments import ROOT
from benchmarks._speed.race import UnequalError

PRICES = 1_300
"""As many as the last of the recorded catalogs has."""

SOURCE = "helicone_registry"
RECORDED = ROOT.parent / "shared" / "catalogs" / SOURCE
LEAST = 360_000
"""Bytes: the recorded bodies that are about 400 KB."""

ETL = str(Path(sys.executable).parent / "etl")

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Series:
    """What a series took: ``each`` has the seconds of each snapshot, ``floor`` those of the limit."""

    snapshots: int
    bytes: int
    each: list[float]
    floor: list[float]
    backfill: float
    verify: float
    disk: int

    @property
    def growth(self) -> float:
        """The median of the last 20 by that of the first 20; the very first, a first load, is none of them."""
        return median(self.each[-20:]) / median(self.each[1:21])

    @property
    def rate(self) -> float:
        """Snapshots for each second of the whole backfill."""
        return self.snapshots / self.backfill

    @property
    def floor_rate(self) -> float:
        """What the limit makes of the same bodies."""
        return self.snapshots / sum(self.floor)


def small(databases: Databases, folder: Path, count: int) -> Series:
    """A catalog of constant size: every snapshot re-prices 1 %, and for each model that comes another one goes.

    Both the backfill and the proof are called in one process.
    """
    size = _write(folder, islice(churning(), count))
    floor, floor_facts, _ = _in_child(databases, LIMIT, folder)
    told, facts, disk = _in_child(databases, OURS, folder)
    _require_equal(facts, floor_facts)
    return Series(
        snapshots=count,
        bytes=size,
        each=told["each"],
        floor=floor["each"],
        backfill=told["backfill"],
        verify=told["verify"],
        disk=disk,
    )


def recorded(databases: Databases, folder: Path, count: int) -> Series | None:
    """The recorded bodies of about 400 KB, forth and back; null, with a word on stderr, when there are none.

    Forth and back each step is one that a catalog really took. The models stand in another order every time, so that
    no two bodies are equal byte for byte. The commands `etl backfill` and `etl verify` are measured, from their start.
    """
    bodies = [file.read_bytes() for file in sorted(RECORDED.glob("*.json")) if file.stat().st_size >= LEAST]
    if len(bodies) < 2:
        sys.stderr.write("no recorded catalogs beside the checkout: their series is skipped\n")
        return None
    parts = [catalog.taken_apart(body) for body in bodies]
    walk = cycle([*parts, *parts[-2:0:-1]])
    size = _write(folder, (change.reordered(body, seed).encoded() for seed, body in enumerate(islice(walk, count))))
    floor, floor_facts, _ = _in_child(databases, LIMIT, folder)
    with databases.made(OURS):
        empty = databases.bytes(OURS)
        backfill = _command(databases, "backfill", SOURCE, str(folder))
        disk = databases.bytes(OURS) - empty
        verify = _command(databases, "verify", SOURCE)
        _require_equal(databases.facts(OURS), floor_facts)
    return Series(
        snapshots=count,
        bytes=size,
        each=[],
        floor=floor["each"],
        backfill=backfill,
        verify=verify,
        disk=disk,
    )


def churning() -> Iterator[bytes]:
    """Bodies without end. Every tenth snapshot brings back a model that went."""
    body, number = catalog.generate(PRICES), 1_000_000
    gone: list[bytes] = []
    while True:
        yield body.encoded()
        body = change.repriced(body, PRICES // 100, seed=number)
        number += 1
        comes = gone.pop(0) if gone and number % 10 == 0 else catalog.encode(catalog.model(number, at_most=12)[0])
        gone.append(body.records[0])
        body = catalog.Body(records=(*body.records[1:], comes), filters=body.filters)


def _write(folder: Path, bodies: Iterable[bytes]) -> int:
    """Write a body for each hour, and give the size of all."""
    folder.mkdir()
    size = 0
    for number, body in enumerate(bodies):
        at = _BEGIN + timedelta(hours=number)
        size += (folder / f"{at:%Y%m%dT%H%M%SZ}.json").write_bytes(body)
    return size


def _require_equal(facts: list[Facts], floor: list[Facts]) -> None:
    if facts != floor:
        raise UnequalError(f"after the series: the pipeline has {facts}, the limit {floor}")


def _in_child(databases: Databases, contender: Contender, folder: Path) -> tuple[dict[str, Any], list[Facts], int]:
    """What a process that loads the series tells, the history that it made, and the bytes that this takes."""
    with databases.made(contender):
        empty = databases.bytes(contender)
        command = [*contender.command, databases.url(contender), str(folder)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603  our own programs
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return told, databases.facts(contender), databases.bytes(contender) - empty


def _command(databases: Databases, *words: str) -> float:
    """The seconds of a command of `etl` from its start to its end, with nothing configured but the database."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ETL_")}
    with tempfile.TemporaryDirectory() as home:
        environment |= {"DATABASE_URL": databases.url(OURS), "ETL_HOME": home}
        begun = time.perf_counter()
        done = subprocess.run([ETL, *words], capture_output=True, env=environment, cwd=home, check=False)  # noqa: S603
        taken = time.perf_counter() - begun
    if done.returncode:
        raise RuntimeError(f"etl {words[0]} failed: {done.stderr.decode()[-500:]}")
    return taken


def startup(repeats: int = 9) -> float:
    """The median of the seconds that ``etl run --help`` takes."""
    taken = []
    for _ in range(repeats):
        begun = time.perf_counter()
        subprocess.run([ETL, "run", "--help"], stdout=subprocess.DEVNULL, check=True)  # noqa: S603  our own program
        taken.append(time.perf_counter() - begun)
    return median(taken)
