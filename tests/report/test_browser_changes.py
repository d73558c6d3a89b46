"""The chart of the largest changes in a real browser: its scale has its labels however few changes there are."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from etl.report.facts import read
from etl.report.page import page
from etl.report.scope import Asked
from tests.browsing import DESKTOP, PHONE
from tests.report.conftest import NOW
from tests.report.opened import opened

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize(
    ("model", "tick"), [("*grok-4-fast", "× 2"), ("*deepseek-chat", "÷ 2"), ("*gemini-2.5-flash-lite", "× 8")]
)
def test_the_scale_shows_what_is_the_same_and_a_next_tick(
    browser: Any, demo: Engine, tmp_path: Path, size: dict[str, int], model: str, tick: str
) -> None:
    file = tmp_path / "report.html"
    file.write_text(page(read(demo, Asked(now=NOW, models=(model,)))), encoding="utf-8")
    with opened(browser, file, size=size) as shown:
        labels = shown.page.locator("#chart-changes .xtick text")
        assert {"same", tick} <= set(labels.all_text_contents())
        plot, first, last = (
            place.bounding_box() for place in (shown.page.locator("#chart-changes"), labels.first, labels.last)
        )
        assert plot["x"] <= first["x"]
        assert last["x"] + last["width"] <= plot["x"] + plot["width"]
