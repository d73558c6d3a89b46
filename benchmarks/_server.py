"""A migrated warehouse on a server of its own, which is gone afterwards."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from etl.database import migrations
from etl.database.cluster import SUPERUSER
from etl.database.embedded import EmbeddedServer, EmbeddedSettings
from etl.database.engine import database_url, open_engine


@contextmanager
def warehouse() -> Iterator[Engine]:
    """Start the embedded programs in a temporary folder, on a free port, and take everything away at the end."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as home, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
        probe.close()
        server = EmbeddedServer(EmbeddedSettings(home=Path(home), port=port))
        try:
            # Only a superuser may ask for a checkpoint or make a database.
            engine = open_engine(database_url(server.ensure(SUPERUSER)))
            migrations.upgrade(engine)
            yield engine
        finally:
            server.stop()
