"""Which port the embedded server takes: the usual one or the next that is free, and later the same."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import make_url

from etl.database import embedded
from etl.database.embedded import EmbeddedServer, EmbeddedSettings
from etl.errors import DatabaseError
from tests.database.conftest import free_port

pytestmark = pytest.mark.slow

Make = Callable[[str], EmbeddedServer]


@pytest.fixture
def usual(monkeypatch: pytest.MonkeyPatch) -> int:
    """The usual port of this test: a free one, not that of the person who runs it."""
    port = free_port()
    monkeypatch.setattr(embedded, "DEFAULT_PORT", port)
    return port


@pytest.fixture
def make(tmp_path: Path, open_folder: Path) -> Iterator[Make]:
    """Servers without a port of their own; all of them are stopped in the end."""
    assert open_folder.is_dir()
    servers: list[EmbeddedServer] = []

    def made(name: str) -> EmbeddedServer:
        servers.append(EmbeddedServer(EmbeddedSettings(home=tmp_path / name)))
        return servers[-1]

    yield made
    for server in servers:
        server.stop()


def port_of(server: EmbeddedServer) -> int:
    return make_url(server.ensure()).port or 0


def test_a_first_start_takes_the_next_free_port_and_later_ones_the_same(make: Make, usual: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", usual))
        other.listen()
        port = port_of(make("home"))
        assert port > usual
        assert make("home").status().port == port
        assert make("home").stop()
    assert make("home").status().port == port
    assert port_of(make("home")) == port


def test_a_remembered_port_that_is_taken_is_named_and_nothing_moves(make: Make, usual: int) -> None:
    assert port_of(make("home")) == usual
    make("home").stop()
    with socket.socket() as other:
        other.bind(("127.0.0.1", usual))
        other.listen()
        with pytest.raises(DatabaseError, match=f"127.0.0.1:{usual}: another program listens there.*ETL_DB_PORT"):
            make("home").ensure()
    assert port_of(make("home")) == usual


def test_first_starts_of_several_homes_at_once_take_a_port_each(make: Make, usual: int) -> None:
    servers = [make(name) for name in ("one", "two", "three")]
    with ThreadPoolExecutor(3) as pool:
        ports = list(pool.map(port_of, servers))
    assert len(set(ports)) == 3
    assert min(ports) == usual
    assert [server.status().port for server in servers] == ports
