"""What tests of loading share."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL, Engine

from etl.database.engine import open_engine
from tests.conftest import _database


@pytest.fixture
def empty_engine(server_url: URL, template: str) -> Iterator[Engine]:
    """A second warehouse, migrated and empty."""
    with _database(server_url, template=template) as url:
        yield open_engine(url)
