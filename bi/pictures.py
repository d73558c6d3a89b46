"""The pictures of the documents, drawn from the demo: ``python -m bi.pictures [FOLDER]``.

Needs Chromium and the extra ``browser``. The demo is played into an embedded Postgres of its own, which is gone
afterwards.
"""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bi.browser import browsing
from bi.superset import environment, reader, serve, visit
from bi.superset.start import ADMIN, secret
from etl.database.engine import database_url

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FOLDER = environment.ROOT / "docs" / "pictures"
WIDTH, HEIGHT = 1280, 1100

# What would differ from one day to the next, or shows only to whoever may edit.
_HIDDEN = ":is([data-test=metadata-bar], [data-test=edit-dashboard-button], .ant-tag) { display: none !important }"
# The rows that are seen whole.
_BOTTOM = f"""() => Math.max(...[...document.querySelectorAll('.grid-row')]
  .map(row => row.getBoundingClientRect().bottom).filter(bottom => bottom < {HEIGHT}))"""


def main(folder: Path = FOLDER) -> None:
    """Pictures of the report and of each dashboard, at the width of a desktop."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pictures-") as place, browsing() as browser:
        home, port = Path(place), str(_free_port())
        with _demo(home, port) as warehouse:
            _etl(home, port, "report")
            _report(browser, home / "report.html", folder)
            _dashboards(browser, home, warehouse, folder)


def _report(browser: "Browser", file: Path, folder: Path) -> None:
    """The sections that a reader looks at first, each as far as its chart goes."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
    page.goto(file.as_uri())
    page.wait_for_selector("html.ready")
    for section in ("history", "offers"):
        box = page.locator(f"#{section}").bounding_box()
        table = page.locator(f"#{section} .scroll").bounding_box()
        if box and table:
            clip = {**box, "height": min(table["y"] + 220, box["y"] + box["height"]) - box["y"]}
            page.screenshot(path=folder / f"report-{section}.png", clip=clip, full_page=True)
    page.close()


def _dashboards(browser: "Browser", home: Path, warehouse: str, folder: Path) -> None:
    """The upper rows of each dashboard, without Superset's own menus."""
    with serve.serving(home, warehouse, f"127.0.0.1:{_free_port()}") as address:
        page = browser.new_page(base_url=address)
        visit.log_in(page, ADMIN, secret(home / "admin_password"))
        for slug in visit.SLUGS:
            visit.open_dashboard(page, slug, WIDTH, look="?standalone=1")
            page.add_style_tag(content=_HIDDEN)
            whole = {"x": 0, "y": 0, "width": WIDTH, "height": page.evaluate(_BOTTOM) + 16}
            page.screenshot(path=folder / f"superset-{slug}.png", clip=whole)


@contextmanager
def _demo(home: Path, port: str) -> Iterator[str]:
    """A warehouse after the demo, as a reader sees it."""
    try:
        _etl(home, port, "demo")
        url = reader.login(database_url(_etl(home, port, "db", "url")), serve.ROLE, secret(home / "reader_password"))
        yield url.render_as_string(hide_password=False)
    finally:
        _etl(home, port, "db", "stop")


def _etl(home: Path, port: str, *arguments: str) -> str:
    known = {"PATH": os.environ["PATH"], "ETL_HOME": str(home / "etl"), "ETL_DB_PORT": port}
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-m", "etl", *arguments], cwd=home, env=known, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
