"""Pictures of the dashboards for the README, drawn from the demo: ``python -m bi.superset.pictures [FOLDER]``.

Needs Chromium and the extra ``browser``. The demo is played into an embedded Postgres of its own, which is gone
afterwards.
"""

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bi.superset import environment, reader, serve, visit
from bi.superset.start import ADMIN, secret
from etl.database import migrations
from etl.database.embedded import EmbeddedServer, EmbeddedSettings
from etl.database.engine import database_url, open_engine
from etl.demo import story
from etl.pipeline import Pipeline

FOLDER = environment.ROOT / "docs" / "pictures"
WIDTH, HEIGHT = 1280, 960


def main(folder: Path = FOLDER) -> None:
    """One picture of the upper part of each dashboard, at the width of a desktop, without Superset's own menus."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  an extra

    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory(prefix="pictures-") as place, sync_playwright() as driver:
        home = Path(place)
        sandbox = [] if os.getuid() else ["--no-sandbox"]
        browser = driver.chromium.launch(executable_path=chromium, args=["--disable-gpu", *sandbox])
        with _demo(home) as warehouse, serve.serving(home, warehouse, f"127.0.0.1:{_free_port()}") as address:
            page = browser.new_page()
            visit.log_in(page, address, ADMIN, secret(home / "admin_password"))
            for slug in visit.SLUGS:
                visit.open_dashboard(page, address, slug, WIDTH, look="?standalone=1")
                picture = folder / f"superset-{slug}.png"
                page.screenshot(path=picture, clip={"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT})
                sys.stderr.write(f"{picture}\n")
        browser.close()


@contextmanager
def _demo(home: Path) -> Iterator[str]:
    server = EmbeddedServer(EmbeddedSettings(home=home / "postgres", port=_free_port()))
    try:
        url = database_url(server.ensure())
        engine = open_engine(url)
        migrations.upgrade(engine)
        for _ in story.play(Pipeline(engine, lambda: datetime.now(UTC))):
            pass
        engine.dispose()
        yield reader.login(url, serve.ROLE, secret(home / "reader_password")).render_as_string(hide_password=False)
    finally:
        server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
