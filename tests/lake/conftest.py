"""The story of the demo, told once into a warehouse that these tests only read."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL, Engine

from etl.database.engine import open_engine
from tests.conftest import _database
from tests.demo.conftest import told


@pytest.fixture(scope="session")
def story(server_url: URL, template: str) -> Iterator[Engine]:
    """The warehouse after ``etl demo``."""
    with _database(server_url, template=template) as url:
        engine = open_engine(url)
        told(engine)
        yield engine
