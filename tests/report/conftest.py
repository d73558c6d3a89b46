"""Warehouses to report of, and a browser to look at the page."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Engine

from etl.database.engine import open_engine
from etl.report.facts import Facts, read
from etl.report.page import page
from etl.report.scope import Asked
from tests.browsing import browsing
from tests.conftest import Demo
from tests.report.opened import Opened, opened

NOW = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def demo(demo_url: URL) -> Engine:
    """The warehouse after ``etl demo``, which the tests of this folder only read."""
    return open_engine(demo_url)


@pytest.fixture(scope="session")
def demo_facts(demo: Engine) -> Facts:
    """What a report of all of it is made of."""
    return read(demo, Asked(now=NOW))


@pytest.fixture(scope="session")
def demo_page(demo_facts: Facts) -> str:
    """The page about the demo."""
    return page(demo_facts)


@pytest.fixture(scope="module")
def browser(told_demo: Demo) -> Iterator[Any]:
    """Chromium; whoever asks is skipped where there is none.

    While it is there, this thread has a loop of its own in which no other can be run: the demo is told before.
    """
    assert told_demo.name
    with browsing() as found:
        yield found


@pytest.fixture
def demo_file(demo_page: str, tmp_path: Path) -> Path:
    """The page about the demo, in a file."""
    file = tmp_path / "report.html"
    file.write_text(demo_page, encoding="utf-8")
    return file


@pytest.fixture
def shown(browser: Any, demo_file: Path) -> Iterator[Opened]:
    """The page about the demo in a window."""
    with opened(browser, demo_file) as window:
        yield window
