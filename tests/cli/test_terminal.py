"""What a person sees on a terminal of 100 columns, and how Ctrl-C ends it."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import URL, Engine

from tests.cli.conftest import named
from tests.cli.terminal import COLUMNS, on_terminal
from tests.dump import dump
from tests.extract.gateway import Gateway, drip, head, ok
from tests.processes import environment

CATALOG = b'{"data": [{"id": "openai/m1", "pricing": {"prompt": "0.000001"}}]}'

ENDLESS = drip(head(200, {"Content-Length": "100000"}), tail=b" " * 2_000)


def test_a_run_shows_a_bar_that_is_gone_in_the_end(warehouse_url: URL, tmp_path: Path) -> None:
    with Gateway(ok(CATALOG)) as gateway:
        values = {"DATABASE_URL": named(warehouse_url), "ETL_BIFROST_URL": gateway.url}
        seen = on_terminal(tmp_path, environment(tmp_path, **values), "run", "bifrost")
    assert seen.status == 0
    assert "0/1" in seen.raw
    assert seen.raw.count("\x1b[?25l") == seen.raw.count("\x1b[?25h") == 1
    assert "\x1b[2K" in seen.raw
    assert "[1/1]" not in seen.text


def test_the_demo_fits_the_terminal(story_url: URL, tmp_path: Path) -> None:
    seen = on_terminal(tmp_path, environment(tmp_path, DATABASE_URL=named(story_url)), "demo")
    assert seen.status == 0
    shown = seen.text[seen.text.index("What was loaded") :].splitlines()
    assert max(map(len, shown)) <= COLUMNS
    assert "This warehouse had the story already: the same snapshots again change nothing." in shown


def test_ctrl_c_ends_a_run_at_once_with_one_line(warehouse_url: URL, engine: Engine, tmp_path: Path) -> None:
    before = dump(engine)
    with Gateway(ENDLESS) as gateway:
        values = {"DATABASE_URL": named(warehouse_url), "ETL_BIFROST_URL": gateway.url}
        seen = on_terminal(tmp_path, environment(tmp_path, **values), "run", "bifrost", interrupt_at="0:00:01")
    assert seen.status == 130
    assert seen.seconds < 3
    assert seen.text.splitlines()[-1].endswith("etl: interrupted; what is loaded stays, the next run does the rest")
    assert seen.raw.count("\x1b[?25l") == seen.raw.count("\x1b[?25h")
    assert "Traceback" not in seen.text
    assert dump(engine) | {"core.source": []} == before, "what is configured is recorded, and nothing else"


def test_an_interrupt_without_a_terminal_ends_in_the_same_line(warehouse_url: URL, tmp_path: Path) -> None:
    with Gateway(ENDLESS) as gateway:
        values = {"DATABASE_URL": named(warehouse_url), "ETL_BIFROST_URL": gateway.url}
        with subprocess.Popen(
            [sys.executable, "-m", "etl", "run", "bifrost"],
            cwd=tmp_path,
            env=environment(tmp_path, **values),
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            while not gateway.asked:
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=10)
    assert process.returncode == 130
    complaints = [line for line in said.splitlines() if not line.startswith("{")]
    assert complaints == ["etl: interrupted; what is loaded stays, the next run does the rest"]
