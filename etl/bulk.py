"""Reads saved snapshots in worker processes, ahead of the one that loads them in order of time.

Each worker has every n-th chunk and a pipe of its own. It waits when its finished chunk is not taken yet, so that there
is at most one chunk with each worker and one with the loader, whatever there is to do. Whoever reads the pipe no longer
ends the worker: none outlives its loader.
"""

import gc
import multiprocessing
import os
import signal
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

import structlog

from etl.backfill import Archived, Entry
from etl.domain.snapshot import Snapshot
from etl.errors import EtlError
from etl.load.parcel import Parcel, parcel_of
from etl.preparing import Preparer
from etl.reading import Prepared
from etl.sources.base import Source

Saved = Entry | Archived

Chunk = Sequence[tuple[Parcel, Prepared]]
"""Snapshots of one source in order of time, no two of one time."""

MOST = 16
"""Snapshots of a chunk."""

LARGEST = 16 * 1024 * 1024
"""Bytes of a chunk's pages, unless one snapshot alone has more."""

WORTH = 32 * 1024 * 1024
"""Bytes of pages from which on workers pay for their start, which takes most of a second; so do ``MANY`` snapshots."""

MANY = 500

WORKERS = 8
"""More would only wait: one process loads."""


def alone(snapshot: Snapshot) -> Chunk:
    """A snapshot that is at hand, as a chunk of its own."""
    return [(parcel_of(snapshot), Prepared(pages=snapshot.pages))]


def prepared(
    source: Source[Any], entries: Sequence[Saved], known: Mapping[datetime, bytes], workers: int | None = None
) -> Iterator[Chunk]:
    """Saved snapshots ready to be landed and loaded; of those that are ``known`` by time and content, only that.

    ``entries`` are in order of time. ``workers`` None: as many as pay. Raises ``EtlError`` when a file cannot be read,
    after the chunks before it.
    """
    sizes = [entry.size for entry in entries]
    if workers is None:
        workers = _workers(sizes)
    done = 0
    if workers:
        chunks = list(_chunks(entries, sizes))
        with closing(_in_workers(source, chunks, known, min(workers, len(chunks)))) as found:
            for chunk, error in found:
                done += len(chunk)
                if chunk:
                    yield chunk
                if error is not None:
                    raise error
    for entry in entries[done:]:
        yield alone(entry.read(source.name, source.kind))


def _workers(sizes: Sequence[int]) -> int:
    """As many as there are processors beside that of the loader; none where they would not pay."""
    if sum(sizes) < WORTH and len(sizes) < MANY:
        return 0
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(WORKERS, max(1, processors - 1))


def _chunks(entries: Sequence[Saved], sizes: Iterable[int]) -> Iterator[Sequence[Saved]]:
    """The snapshots divided: each chunk of limited number and size, and no two of one time in it."""
    chunk: list[Saved] = []
    room = LARGEST
    for entry, size in zip(entries, sizes, strict=True):
        if chunk and (len(chunk) == MOST or size > room or entry.time == chunk[-1].time):
            yield chunk
            chunk, room = [], LARGEST
        chunk.append(entry)
        room -= size
    yield chunk


@dataclass(frozen=True, kw_only=True, slots=True)
class _Share:
    """A chunk that a worker is to prepare, and what comes right before it."""

    before: Saved | None
    entries: Sequence[Saved]


def _in_workers(
    source: Source[Any], chunks: Sequence[Sequence[Saved]], known: Mapping[datetime, bytes], workers: int
) -> Generator[tuple[Chunk, EtlError | None], None, None]:
    """The chunks in their order, each with what stopped it half-way; ends early when a worker ended unasked."""
    with ExitStack() as stack:
        pipes = []
        for number in range(workers):
            shares = [
                _Share(before=chunks[at - 1][-1] if at else None, entries=chunks[at])
                for at in range(number, len(chunks), workers)
            ]
            times = {entry.time for share in shares for entry in share.entries}
            ours = {time: known[time] for time in times & known.keys()}
            pipes.append(_start(stack, source, shares, ours))
        for at in range(len(chunks)):
            try:
                found = pipes[at % workers].recv()
            except (EOFError, OSError):
                structlog.get_logger().warning("a worker process ended unasked", source=source.name)
                return
            yield found


def _start(
    stack: ExitStack, source: Source[Any], shares: Sequence[_Share], known: Mapping[datetime, bytes]
) -> Connection:
    """Start a worker, which is ended with the stack; gives the pipe on which its chunks come."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    stack.callback(receiver.close)
    process = context.Process(target=_work, args=(sender, source, shares, known), daemon=True, name="etl backfill")
    # Ctrl-C is for the loader, which ends its workers: they inherit that they are deaf to it.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    sender.close()
    stack.callback(process.join)
    stack.callback(process.terminate)
    return receiver


def _work(pipe: Connection, source: Source[Any], shares: Iterable[_Share], known: Mapping[datetime, bytes]) -> None:
    """What a worker does: prepare its shares, and send each when the one before was taken."""
    preparer = Preparer(source, known)
    # What is imported stays, and what is made here has few cycles: looking for them takes longer than the reading.
    gc.freeze()
    gc.disable()
    try:
        for share in shares:
            pipe.send(preparer.chunk(share.before, share.entries))
            gc.collect()
    except Exception:  # noqa: BLE001  the loader left, or it goes on by itself and meets the same, where it is told
        return
