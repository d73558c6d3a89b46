"""The database of the tests: a migrated template once, a clone of it for each test that asks.

What loads and asks in a test is the loader, as in production: ``engine`` and ``warehouse_url`` are its. Who changes the
schema, tampers with history or makes triggers is the owner: ``owner_engine``, or ``owner_of`` an address. Nobody but
``server_url`` is a superuser.

``TEST_DATABASE_URL`` names a server where databases may be created; else a container when a Docker engine answers;
else the embedded binaries on a free port in a temporary folder. ``DATABASE_URL`` is never looked at.
"""

import contextlib
import gc
import os
import shutil
import socket
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import Phase, settings
from sqlalchemy import URL, Engine, text

from etl.database import migrations
from etl.database.cluster import OWNER, SUPERUSER
from etl.database.embedded import EmbeddedServer, EmbeddedSettings
from etl.database.engine import database_url, open_engine, require_reachable
from etl.demo import story
from etl.pipeline import Pipeline
from etl.result import Result
from tests.database.roles import loader_of, make_roles, owner_of

IMAGE = "postgres:18"

# Shrinking an example costs minutes when each try asks a database; the blob that is printed repeats it. A gate tries
# the same examples every time, a person new ones.
settings.register_profile(
    "here",
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    derandomize="CI" in os.environ,
    database=None,
    print_blob=True,
)
settings.load_profile("here")


LONGEST = (
    "test_rebuild.py",
    "test_permutations.py",
    "test_leaks.py",
    "test_network.py",
    "test_soak.py",
    "test_bad_walks.py",
)
"""Files that take minutes: they are begun first, so that no worker is left alone with one in the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first, and leave all others in their order."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.fixture(scope="session", autouse=True)
def _no_foreign_configuration() -> Iterator[None]:
    """What the person who runs the tests has configured must not reach them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name in ("DATABASE_URL", "PGBIN") or name.startswith("ETL_") or name.endswith("_API_KEY"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    """A server on which tests may create databases; the run fails here, saying why, when there is none."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield database_url(given)
    elif _docker_answers():
        with _container() as url:
            yield url
    else:
        with _quick_folder(tmp_path_factory) as folder, _embedded(folder) as url:
            yield url


@pytest.fixture(scope="session")
def template(server_url: URL) -> Iterator[str]:
    """The name of a migrated, empty database that is only ever cloned."""
    make_roles(server_url)
    with _database(server_url, template=None) as url:
        engine = open_engine(url)
        migrations.upgrade(engine)
        engine.dispose()
        yield str(url.database)


class Demo(NamedTuple):
    """The name of a warehouse after ``etl demo``, that is only ever cloned, and what each snapshot gave, in order."""

    name: str
    results: tuple[Result, ...]


@pytest.fixture(scope="session")
def told_demo(server_url: URL, template: str) -> Iterator[Demo]:
    """The story of the demo, told once for all who look at what came of it."""
    with _database(server_url, template=template) as url:
        pipeline = Pipeline(open_engine(url), lambda: datetime.now(UTC))
        yield Demo(str(url.database), tuple(story.play(pipeline)))


@pytest.fixture(scope="session")
def demo_url(server_url: URL, told_demo: Demo) -> Iterator[URL]:
    """The URL of a warehouse after the demo. Whoever asks leaves it as it was."""
    with _database(server_url, template=told_demo.name) as url:
        yield url


@pytest.fixture
def warehouse_url(server_url: URL, template: str) -> Iterator[URL]:
    """The URL of a migrated, empty warehouse of this test's own."""
    with _database(server_url, template=template) as url:
        yield url


@pytest.fixture
def empty_engine(server_url: URL, template: str) -> Iterator[Engine]:
    """A second warehouse, migrated and empty."""
    with _database(server_url, template=template) as url:
        yield open_engine(url)


@pytest.fixture
def engine(warehouse_url: URL) -> Engine:
    """A migrated, empty warehouse of this test's own, for its loader."""
    return open_engine(warehouse_url)


@pytest.fixture
def owner_engine(warehouse_url: URL) -> Engine:
    """The same warehouse for its owner."""
    return open_engine(owner_of(warehouse_url))


@pytest.fixture
def empty_url(server_url: URL) -> Iterator[URL]:
    """The URL of a database with nothing in it, not even our schema, for its owner."""
    make_roles(server_url)
    with _database(server_url, template=None) as url:
        yield url


@contextmanager
def _database(server: URL, *, template: str | None) -> Iterator[URL]:
    """A database of its own: with a template a warehouse for the loader, else an empty one for the owner."""
    name = f"etl_test_{uuid.uuid4().hex[:12]}"
    admin = open_engine(server).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        strategy = f" TEMPLATE {template} STRATEGY FILE_COPY" if template else ""
        connection.execute(text(f"CREATE DATABASE {name} OWNER {OWNER}{strategy}"))
    try:
        yield (loader_of if template else owner_of)(server.set(database=name))
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def _docker_answers() -> bool:
    """Whether an engine answers a ping: the ``docker`` command alone proves nothing."""
    import docker  # noqa: PLC0415
    from docker.errors import DockerException  # noqa: PLC0415

    with warnings.catch_warnings():
        # Where no engine answers, the client leaves its socket to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            with contextlib.closing(docker.from_env(timeout=3)) as client:
                return bool(client.ping())
        except (DockerException, OSError):
            return False
        finally:
            gc.collect()


@contextmanager
def _container() -> Iterator[URL]:
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415

    with PostgresContainer(IMAGE, driver="psycopg") as container:
        yield database_url(container.get_connection_url())


MEMORY = Path("/dev/shm")  # noqa: S108  a folder of its own is made in it
ROOM = 4 << 30
"""Bytes of memory that have to be free for the databases of a run."""


@contextmanager
def _quick_folder(factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for a server: in memory where there is room, because each test clones a database and drops it."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        with tempfile.TemporaryDirectory(prefix="etl-tests-", dir=MEMORY, ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    else:
        yield factory.mktemp("postgres")


@contextmanager
def _embedded(home: Path) -> Iterator[URL]:
    server = EmbeddedServer(EmbeddedSettings(home=home, port=free_port()))
    server.ensure()
    url = database_url(str(server.url(SUPERUSER)))
    try:
        engine = open_engine(url).execution_options(isolation_level="AUTOCOMMIT")
        require_reachable(engine)
        with engine.connect() as connection:
            # A test's data need not survive a power cut.
            connection.execute(text("ALTER SYSTEM SET fsync = off"))
            connection.execute(text("SELECT pg_reload_conf()"))
        yield url
    finally:
        server.stop()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
