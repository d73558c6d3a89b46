"""A stage for each test, and a receiver that takes everything."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.extract.gateway import Gateway, reply
from tests.extract.test_tls import certificate as certificate  # noqa: PLC0414  for the tests of this folder
from tests.notify.stage import NOW, Stage, hook


@pytest.fixture
def desk() -> Iterator[Gateway]:
    """Takes every message."""
    with Gateway(reply(204)) as gateway:
        yield gateway


@pytest.fixture
def stage(engine: Engine, desk: Gateway) -> Stage:
    """A source that was just scheduled, and one receiver."""
    found = Stage(engine, [hook(desk)])
    found.configure(at=NOW)
    return found
