"""The story of the demo, told once into a warehouse that the queries of the documents only read."""

import pytest
from sqlalchemy import URL, Engine

from etl.database.engine import open_engine
from tests.database.roles import owner_of


@pytest.fixture(scope="session")
def demo(demo_url: URL) -> Engine:
    """The warehouse after ``etl demo``, for its owner, who can become a reader. Whoever asks rolls back."""
    return open_engine(owner_of(demo_url))
