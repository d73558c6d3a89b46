"""Start the embedded server: its programs, its port, its options. The caller holds the lock."""

import errno
import os
import socket
from pathlib import Path

from etl.database.binaries import find
from etl.database.cluster import Cluster
from etl.database.contact import HOST
from etl.database.postmaster import forget_stranger
from etl.database.unprivileged import account_for, entrance, hand_over, reachable, run
from etl.errors import DatabaseError

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - only measured
_SHARED_MEMORY_BYTES = 256 * 2**20
"""Containers often have 64 MB, in which a parallel query fails."""


def launch(cluster: Cluster, *, port: int, pgbin: Path | None, lock: int, seconds: int) -> int:
    """Start the server, making the cluster first if need be, and wait until it is ready or has failed.

    Gives the byte of the log at which the words of this start begin. Raises DatabaseError and OSError.
    """
    cluster.tidy()
    binaries = find(pgbin)
    check_port(port)
    if cluster.major is None:
        cluster.create(binaries, lock)
    cluster.check_version(binaries)
    forget_stranger(cluster.data)
    account = account_for(cluster.data)
    hand_over(cluster.folder, account)
    pg_ctl = reachable(binaries, account).program("pg_ctl")
    with entrance(cluster.data, account) as (data, inherited), cluster.open_log() as log:
        since = log.tell()
        run(
            [pg_ctl, "start", "--silent", "--wait", f"--timeout={seconds}", f"--pgdata={data}", f"-o{_options(port)}"],
            account=account,
            descriptors=(lock, *inherited),
            output=log,
            seconds=2 * seconds,
        )
    return since


def is_free(port: int) -> bool:
    """Return whether a server could listen on a port now."""
    try:
        check_port(port)
    except DatabaseError:
        return False
    return True


def check_port(port: int) -> None:
    """Say plainly, and before anything is made, what Postgres would say in three lines."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            reason = "another program listens there" if taken else error.strerror
            raise DatabaseError(
                f"no Postgres at {HOST}:{port}: {reason}: end it, or set ETL_DB_PORT to a free port (and clients to it)"
            ) from None


def _options(port: int) -> str:
    """What is promised about the server; postgresql.conf decides everything else. No value may hold a space."""
    promised = {
        "listen_addresses": HOST,
        "port": port,
        "unix_socket_directories": "",
        "max_connections": 50,
        "shared_buffers": "128MB",
        "dynamic_shared_memory_type": "posix" if _has_shared_memory() else "mmap",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "cluster_name": "etl",
    }
    return " ".join(f"-c {name}={value}" for name, value in promised.items())


def _has_shared_memory() -> bool:
    try:
        found = os.statvfs(_SHARED_MEMORY)
    except OSError:
        return False
    return found.f_frsize * found.f_blocks >= _SHARED_MEMORY_BYTES
