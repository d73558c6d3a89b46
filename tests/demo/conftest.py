"""The story of the demo, played once into a warehouse that the tests of this folder only read."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from sqlalchemy import URL, Engine, text

from etl.database.engine import open_engine
from etl.demo.story import play
from etl.pipeline import Pipeline
from etl.result import Result
from tests.conftest import Demo


class Played(NamedTuple):
    """A warehouse after the story, and what each snapshot gave, in order."""

    engine: Engine
    results: tuple[Result, ...]

    def rows(self, sql: str, **values: object) -> list[dict[str, Any]]:
        """What a SELECT answers."""
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(sql), values).mappings()]


def told(engine: Engine) -> tuple[Result, ...]:
    """The results of telling the whole story."""
    return tuple(play(Pipeline(engine, lambda: datetime.now(UTC))))


@pytest.fixture(scope="session")
def played(demo_url: URL, told_demo: Demo) -> Played:
    """The warehouse after one telling."""
    return Played(open_engine(demo_url), told_demo.results)
