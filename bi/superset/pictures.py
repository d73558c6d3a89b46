"""Pictures of the dashboards for the README, drawn from the demo: ``python -m bi.superset.pictures [FOLDER]``.

Needs Chromium and the extra ``browser``. The demo is played into an embedded Postgres of its own, which is gone
afterwards.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bi.superset import environment, reader, serve, visit
from bi.superset.start import ADMIN, secret
from etl.database.engine import database_url

FOLDER = environment.ROOT / "docs" / "pictures"
WIDTH, HEIGHT = 1280, 1100

# What would differ from one day to the next, or shows only to whoever may edit.
_HIDDEN = ":is([data-test=metadata-bar], [data-test=edit-dashboard-button], .ant-tag) { display: none !important }"
# The rows that are seen whole.
_BOTTOM = f"""() => Math.max(...[...document.querySelectorAll('.grid-row')]
  .map(row => row.getBoundingClientRect().bottom).filter(bottom => bottom < {HEIGHT}))"""


def main(folder: Path = FOLDER) -> None:
    """One picture of the upper rows of each dashboard, at the width of a desktop, without Superset's own menus."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  an extra

    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory(prefix="pictures-") as place, sync_playwright() as driver:
        home = Path(place)
        sandbox = [] if os.getuid() else ["--no-sandbox"]
        browser = driver.chromium.launch(executable_path=chromium, args=["--disable-gpu", *sandbox])
        with _demo(home) as warehouse, serve.serving(home, warehouse, f"127.0.0.1:{_free_port()}") as address:
            page = browser.new_page(base_url=address)
            visit.log_in(page, ADMIN, secret(home / "admin_password"))
            for slug in visit.SLUGS:
                visit.open_dashboard(page, slug, WIDTH, look="?standalone=1")
                page.add_style_tag(content=_HIDDEN)
                whole = {"x": 0, "y": 0, "width": WIDTH, "height": page.evaluate(_BOTTOM) + 16}
                page.screenshot(path=folder / f"superset-{slug}.png", clip=whole)
        browser.close()


@contextmanager
def _demo(home: Path) -> Iterator[str]:
    """A warehouse after the demo, as a reader sees it."""
    port = str(_free_port())
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
