"""Closed, full and broken streams: a command works, or says in one line what was not written; nothing is done twice."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, text

from tests.cli.commands import commands
from tests.cli.conftest import named
from tests.extract.gateway import Gateway, ok
from tests.processes import Ended, environment
from tests.schedule.daemons import until

CATALOG = b'{"data": [{"id": "openai/m1", "pricing": {"prompt": "0.000001"}}]}'

STREAMS = {
    "full stdout": ">/dev/full",
    "closed stdout": ">&-",
    "closed stderr": "2>&-",
    "full stderr": "2>/dev/full",
    "everything closed": "<&- >&- 2>&-",
    "a reader that had enough": '| head -c1 >&2; exit "${PIPESTATUS[0]}"',
}

UNWRITTEN = {
    "full stdout": "etl: stdout cannot be written: No space left on device\n",
    "closed stdout": "etl: stdout cannot be written: Bad file descriptor\n",
}


def typed(folder: Path, streams: str, *words: str, **values: str) -> Ended:
    """A command in a shell that redirects its streams."""
    line = f"'{sys.executable}' -m etl {' '.join(words)} {STREAMS[streams]}"
    done = subprocess.run(
        ["/bin/bash", "-c", line],
        cwd=folder,
        env=environment(folder, **values),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("streams", STREAMS)
@pytest.mark.parametrize(
    "command",
    [
        "changes --format csv",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("status", "sources --json", "report -o -", "--help")),
    ],
)
def test_what_was_not_written_is_one_line_and_status_1(
    story_url: URL, tmp_path: Path, command: str, streams: str
) -> None:
    ended = typed(tmp_path, streams, command, DATABASE_URL=named(story_url))
    assert ended.status == (streams in (*UNWRITTEN, "everything closed"))
    if line := UNWRITTEN.get(streams):
        assert ended.err == line
    assert "Traceback" not in ended.err
    assert "Exception ignored" not in ended.err
    if "stderr" in streams:
        assert ended.out


@pytest.mark.parametrize(
    "streams",
    ["full stdout", *(pytest.param(each, marks=pytest.mark.slow) for each in STREAMS if each != "full stdout")],
)
def test_a_run_that_cannot_show_its_table_has_loaded_once(
    warehouse_url: URL, engine: Engine, tmp_path: Path, streams: str
) -> None:
    with Gateway(ok(CATALOG)) as gateway:
        values = {"DATABASE_URL": named(warehouse_url), "ETL_BIFROST_URL": gateway.url}
        ended = typed(tmp_path, streams, "run", "bifrost", **values)
        assert len(gateway.asked) == 1
    assert ended.status == (streams in (*UNWRITTEN, "everything closed"))
    with engine.connect() as connection:
        statuses = connection.execute(text("SELECT status FROM mart.snapshot")).scalars().all()
        outcomes = connection.execute(text("SELECT outcome FROM core.run")).scalars().all()
    assert (statuses, outcomes) == (["loaded"], ["loaded"])


def test_a_run_that_failed_says_so_to_a_reader_that_had_enough(warehouse_url: URL, tmp_path: Path) -> None:
    values = {"DATABASE_URL": named(warehouse_url), "ETL_BIFROST_URL": "http://127.0.0.1:1"}
    (tmp_path / "etl.toml").write_text("[sources.bifrost]\ntimeout_seconds = 1\n")
    assert typed(tmp_path, "a reader that had enough", "run", "bifrost", **values).status == 1


def catches(pid: int, number: int) -> bool:
    """Whether a process has a handler of its own for a signal."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt"))
    return bool(int(line.split()[1], 16) >> number - 1 & 1)


@pytest.mark.slow
def test_a_daemon_without_any_stream_starts_and_ends_well(warehouse_url: URL, tmp_path: Path) -> None:
    with Gateway(ok(CATALOG)) as gateway:
        values = {"DATABASE_URL": named(warehouse_url), "ETL_BIFROST_URL": gateway.url, "ETL_HTTP_ADDRESS": "0"}
        line = f"exec '{sys.executable}' -m etl schedule <&- >&- 2>&-"
        daemon = subprocess.Popen(["/bin/bash", "-c", line], cwd=tmp_path, env=environment(tmp_path, **values))
        try:
            until(lambda: catches(daemon.pid, signal.SIGTERM), "the daemon")
            links = [str(Path(f"/proc/{daemon.pid}/fd/{number}").readlink()) for number in range(3)]
            assert links == [os.devnull] * 3
        finally:
            daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(30) == 0


STAYS = {("schedule",), ("db", "start")}


@pytest.mark.slow
@pytest.mark.parametrize("streams", ["full stdout", "everything closed"])
@pytest.mark.parametrize("words", [words for words, _ in commands() if words not in STAYS], ids=" ".join)
def test_no_command_crashes_on_its_streams(
    warehouse_url: URL, tmp_path: Path, words: tuple[str, ...], streams: str
) -> None:
    ended = typed(tmp_path, streams, *words, DATABASE_URL=named(warehouse_url))
    assert ended.status in (0, 1, 2)
    assert "please report" not in ended.err
    assert "Exception ignored" not in ended.err
