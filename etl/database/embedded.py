"""The embedded Postgres: a real server below ETL_HOME, started on demand and left running.

One lock settles everything. Whoever starts the server takes it and passes it on to initdb and to the server, and the
kernel frees it when the last of them is dead. So a held lock means that somebody is at work, whatever a pid file says.
"""

import errno
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from etl.database.binaries import find
from etl.database.cluster import OWNER, Cluster
from etl.database.contact import HOST, Answer, ask
from etl.database.launch import is_free, launch
from etl.database.lock import trying
from etl.database.postmaster import Postmaster, is_server
from etl.database.take_over import take_over
from etl.errors import DatabaseError

DEFAULT_PORT = 25432
"""Below the range from which systems take ports for outgoing connections, so that nobody holds it by chance."""

MOST_TRIED = 100
"""Ports that a first start tries."""

_PATIENCE_SECONDS = 120
"""How long a start (with the recovery after a crash), a stop, or somebody else's start may take."""
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class EmbeddedSettings:
    """``home`` is ETL_HOME, ``port`` ETL_DB_PORT, ``pgbin`` PGBIN. A new port counts from the next start on.

    Without a port the first start takes the usual one, or the next that is free, and later ones take the same.
    """

    home: Path
    port: int | None = None
    pgbin: Path | None = None
    database: str = "etl"


@dataclass(frozen=True, kw_only=True)
class EmbeddedStatus:
    """What there is: ``pid`` only while it runs; ``version`` is None before the first start."""

    running: bool
    pid: int | None
    port: int
    data: Path
    version: str | None
    log: Path


class EmbeddedServer:
    """The server of one ETL_HOME. Every method raises DatabaseError with one line: what, where, what to do."""

    def __init__(self, settings: EmbeddedSettings) -> None:
        """Look at nothing yet."""
        self.settings = settings
        self.cluster = Cluster(settings.home.absolute())

    def ensure(self, role: str = OWNER) -> str:
        """Start the server unless it runs, creating it the first time; gives the URL of the database for a role."""
        with _explained(self.cluster):
            return self._url(self._ask() or self._start(), role)

    def url(self, role: str = OWNER) -> str | None:
        """The URL of the database for a role while the server runs, without starting it."""
        with _explained(self.cluster):
            answer = self._ask()
            return self._url(answer, role) if answer else None

    def status(self) -> EmbeddedStatus:
        """What there is, without starting anything."""
        with _explained(self.cluster):
            answer = self._ask()
            version = answer.version if answer else self.cluster.major
        return EmbeddedStatus(
            running=answer is not None,
            pid=answer.postmaster.pid if answer else None,
            port=answer.postmaster.port if answer else self.ports[0],
            data=self.cluster.data,
            version=None if version is None else str(version),
            log=self.cluster.log,
        )

    def stop(self) -> bool:
        """End the server and its connections, keeping the data; False when it did not run."""
        with _explained(self.cluster):
            pid = self._pid_at_work()
            if pid is not None:
                os.kill(pid, signal.SIGINT)
                self._wait_for_end(pid)
            return pid is not None

    @property
    def ports(self) -> Sequence[int]:
        """The ports to try at the next start, in their order: one alone, but at the first start."""
        if self.settings.port is not None:
            return [self.settings.port]
        if self.cluster.major is not None:
            # Clients are configured with it. Older versions of this program remembered none.
            return [self.cluster.port or DEFAULT_PORT]
        return range(DEFAULT_PORT, DEFAULT_PORT + MOST_TRIED)

    def client(self, name: str) -> Path | None:
        """A client like ``psql`` or ``pg_dump`` beside the server's programs, if they have one."""
        client = find(self.settings.pgbin).folder / name
        return client if client.is_file() else None

    def _ask(self) -> Answer | None:
        return ask(self.cluster, self.settings.database)

    def _url(self, answer: Answer, role: str) -> str:
        """The URL for a role, after the database and the roles are made, or taken along from an earlier version."""
        if not answer.is_ready:
            take_over(self.cluster, answer.postmaster.port, self.settings.database)
        place = f"{HOST}:{answer.postmaster.port}/{self.settings.database}"
        return f"postgresql+psycopg://{role}:{self.cluster.password(role)}@{place}"

    def _start(self) -> Answer:
        """Be the one who starts it, or wait for the one who does."""
        self.cluster.prepare()
        for _ in self._patiently("is at work but does not answer"):
            with trying(self.cluster.lock) as lock:
                answer = self._ask()
                if answer is None and lock is not None:
                    answer = self._launch(lock)
            if answer:
                return answer
        raise AssertionError("patience ends with an error")

    def _launch(self, lock: int) -> Answer:
        ports = self.ports
        for port in ports:
            if port != ports[-1] and not is_free(port):
                continue
            if self.settings.port is None:
                self.cluster.remember(port)
            since = launch(self.cluster, port=port, pgbin=self.settings.pgbin, lock=lock, seconds=_PATIENCE_SECONDS)
            if answer := self._ask():
                return answer
            # The server of another home may have taken it just now.
            if port == ports[-1] or is_free(port):
                said = self.cluster.last_words(since)
                raise DatabaseError(f"Postgres in {self.cluster.data} did not start: {said} (see {self.cluster.log})")
        raise AssertionError("there is a last port")

    def _pid_at_work(self) -> int | None:
        """The server's pid, waiting for a start that is under way; None when nobody is at work."""
        for _ in self._patiently("is starting or stopping"):
            answer = self._ask()
            if answer:
                return answer.postmaster.pid
            if not self.cluster.lock.exists():
                return None
            with trying(self.cluster.lock) as lock:
                if lock is not None:
                    return None
            postmaster = Postmaster.of(self.cluster.data)
            if postmaster and is_server(postmaster.pid, self.cluster.data):
                return postmaster.pid
        raise AssertionError("patience ends with an error")

    def _wait_for_end(self, pid: int) -> None:
        for _ in self._patiently("does not stop"):
            if not is_server(pid, self.cluster.data):
                return

    def _patiently(self, complaint: str) -> Iterator[None]:
        """Give one turn after the other, and raise the complaint when patience ends."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < end:
            yield
            time.sleep(_PAUSE_SECONDS)
        where = f"{self.cluster.data} {complaint} for {_PATIENCE_SECONDS} s"
        raise DatabaseError(f"Postgres in {where}: see {self.cluster.log}, end its processes and try again")


@contextmanager
def _explained(cluster: Cluster) -> Iterator[None]:
    """Tell in one line what the file system, the system or the server refused, or that the home is not ours."""
    try:
        cluster.require_ours()
        yield
    except OSError as error:
        place, reason = error.filename or cluster.home, error.strerror or error
        raise DatabaseError(f"embedded Postgres: {place}: {reason}: {_advice(error, cluster)}") from error
    except subprocess.SubprocessError as error:
        raise DatabaseError(f"embedded Postgres in {cluster.data}: {error}: see {cluster.log}") from error
    except psycopg.Error as error:
        said = str(error).partition("\n")[0]
        raise DatabaseError(f"embedded Postgres in {cluster.data}: {said}: see {cluster.log}") from error


def _advice(error: OSError, cluster: Cluster) -> str:
    """What to do about it."""
    if error.errno == errno.ENOSPC:
        return "free some space"
    with suppress(OSError):
        owner = cluster.folder.stat().st_uid
        if os.geteuid() not in {0, owner}:
            return f"this database belongs to user {owner}: run as that user, or set ETL_HOME to a folder of your own"
    return "set ETL_HOME to a folder of your own, or DATABASE_URL to a server that runs"
