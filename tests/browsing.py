"""Debian's Chromium, driven by Playwright: found, or the tests that need it are skipped with a word why."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bi import browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SCREENSHOTS = Path(__file__).parents[1] / "build" / "screenshots"
"""Where pictures of what was tested are left for whoever looks at a run of the gate."""

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


@contextmanager
def browsing() -> Iterator["Browser"]:
    """A browser for the tests of one session; skips whoever asks where there is none."""
    if browser.chromium() is None:
        pytest.skip("no Chromium: apt-get install chromium")
    pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install -e '.[browser]'")
    with browser.browsing() as found:
        yield found


def photograph(page: "Page", name: str) -> None:
    """Leave a picture of the whole page for people to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
