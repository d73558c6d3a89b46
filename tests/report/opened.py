"""A page in a window of a browser that has no network, with everything that it complained of or asked for."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.browsing import DESKTOP


@dataclass
class Opened:
    """The page, the lines of its console and its errors, and the addresses that it asked for besides its own."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def rows(self, table: str) -> list[str]:
        """The rows of a table that are shown, each as its text."""
        shown: list[str] = self.page.locator(f"#{table} tbody tr:visible").all_inner_texts()
        return shown

    def traces(self, chart: str) -> list[dict[str, Any]]:
        """What a chart draws."""
        drawn: list[dict[str, Any]] = self.page.evaluate(
            "id => (document.getElementById(id).data ?? []).map(({name, x, y}) => ({name, x, y}))",
            chart,
        )
        return drawn


@contextmanager
def opened(browser: Any, file: Path, *, size: Mapping[str, int] = DESKTOP, scheme: str = "light") -> Iterator[Opened]:
    """Open a file and wait for its charts."""
    context = browser.new_context(viewport=dict(size), color_scheme=scheme, offline=True, timezone_id="Asia/Tokyo")
    window = Opened(context.new_page())
    window.page.on("console", lambda line: window.said.append(f"{line.type}: {line.text}"))
    window.page.on("pageerror", lambda error: window.said.append(f"error: {error}"))
    window.page.on("request", lambda request: window.asked.append(request.url))
    window.page.goto(file.as_uri())
    window.page.wait_for_selector("html.ready, html.chartless, html:not(.scripted)", timeout=30_000)
    window.asked.remove(file.as_uri())
    try:
        yield window
    finally:
        context.close()
