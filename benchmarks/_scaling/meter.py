"""What a piece of work took: processor time of both sides, bytes of the log of Postgres, bytes of each table."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, text

Sizes = dict[str, int]
"""Bytes by the name of the table, indexes and whatever lies beside it included."""


@dataclass
class Cost:
    """What was taken: seconds, bytes, transactions that wrote.

    Where there is no ``/proc``, the seconds of Postgres are not a number.
    """

    wall: float = 0.0
    client: float = 0.0
    server: float = 0.0
    wal: int = 0
    transactions: int = 0
    sizes: Sizes = field(default_factory=dict)

    @property
    def cpu(self) -> float:
        """Seconds of a core, on both sides."""
        return self.client + self.server


class Meter:
    """Measures work on one server that nobody else uses; this process is its only client."""

    def __init__(self, engine: Engine) -> None:
        """``engine`` is of the embedded server of a measurement."""
        self._engine = engine
        with engine.connect() as connection:
            backend = connection.scalar(text("SELECT pg_backend_pid()"))
            self._postmaster = _parent(int(backend or 0))

    @contextmanager
    def measured(self) -> Iterator[Cost]:
        """The cost of what is done meanwhile: complete when it is left."""
        cost, sizes, (wal, number) = Cost(), self.sizes(), self._position()
        server, client, wall = self._server(), time.process_time(), time.perf_counter()
        yield cost
        cost.wall, cost.client = time.perf_counter() - wall, time.process_time() - client
        cost.server = self._server() - server
        cost.wal, cost.transactions = (now - then for now, then in zip(self._position(), (wal, number), strict=True))
        cost.sizes = {name: size - sizes.get(name, 0) for name, size in self.sizes().items()}

    def sizes(self) -> Sizes:
        """What each table of the warehouse takes now."""
        with self._engine.connect() as connection:
            return {name: int(size) for name, size in connection.execute(_SIZES)}

    def _position(self) -> tuple[int, int]:
        """Where the log of the server stands, in bytes, and the number of the next transaction that writes."""
        with self._engine.connect() as connection:
            wal, number = connection.execute(_POSITION).one()
            return int(wal), int(number)

    def _server(self) -> float:
        """Seconds of all processes of the server, those that ended and those of its own housekeeping included."""
        if self._postmaster is None:
            return float("nan")
        own = _ticks(self._postmaster)
        children = [_ticks(each) for each in _processes() if _parent(each) == self._postmaster]
        return (sum(own) + sum(user + system for user, system, *_ in children)) / os.sysconf("SC_CLK_TCK")


def _processes() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal()]


def _stat(pid: int) -> list[str]:
    """The fields of a process after its name; none when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return []


def _parent(pid: int) -> int | None:
    found = _stat(pid)
    return int(found[1]) if found else None


def _ticks(pid: int) -> tuple[int, ...]:
    """Its own time in user and system mode, then that of its children that ended."""
    found = _stat(pid)
    return tuple(map(int, found[11:15])) if found else (0, 0, 0, 0)


_SIZES = text(
    """
    SELECT relnamespace::regnamespace || '.' || relname, pg_total_relation_size(oid)
      FROM pg_class
     WHERE relnamespace IN ('raw'::regnamespace, 'core'::regnamespace) AND relkind = 'r'
    """
)

_POSITION = text(
    "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0'), pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
)
