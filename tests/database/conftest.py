"""Real servers, each with an ETL_HOME and a port of its own, ended when their test ends."""

import random
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import pytest

from etl.database.embedded import EmbeddedServer, EmbeddedSettings


class ServerFactory(Protocol):
    """Makes a server for a home; it is not started yet."""

    def __call__(self, home: Path, pgbin: Path | None = None) -> EmbeddedServer:
        """Its port is a free one, its programs the first that work."""


def free_port() -> int:
    """A port on which nobody listens, below those that the system lends to outgoing connections for a while."""
    for port in random.sample(range(20_000, 32_000), k=100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    pytest.fail("no free port")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def make_server(open_folder: Path) -> Iterator[ServerFactory]:  # noqa: ARG001 - the folder has to outlive the servers
    """Servers for any home; all of them are stopped in the end."""
    servers: list[EmbeddedServer] = []

    def make(home: Path, pgbin: Path | None = None) -> EmbeddedServer:
        servers.append(EmbeddedServer(EmbeddedSettings(home=home, port=free_port(), pgbin=pgbin)))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def server(make_server: ServerFactory, tmp_path: Path) -> EmbeddedServer:
    """A server that was never started, in a home that does not exist yet."""
    return make_server(tmp_path / "deep" / "home")
