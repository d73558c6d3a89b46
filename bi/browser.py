"""Debian's Chromium, driven by Playwright, for the pictures of the documents and for the tests."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# It asks for no updates and the like. What it opens is our own, and its sandbox is not to be had everywhere: not by
# root, nor in most containers.
_FLAGS = (
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"),
    *("--disable-gpu", "--no-sandbox"),
)


def chromium() -> str | None:
    """Where it is; null where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def browsing() -> Iterator["Browser"]:
    """A browser for as long as the block lasts. Needs the extra ``browser``."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  an extra

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=[*_FLAGS])
        try:
            yield browser
        finally:
            browser.close()
