"""A report in a file is whole, and the daemon keeps one that is new enough."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from sqlalchemy import URL, Engine

from etl.cron import Cron
from etl.database.engine import open_engine
from etl.errors import ReportError
from etl.report.file import Keeper, write
from tests.schedule.daemons import daemon, until
from tests.schedule.stage import HandClock

MORNING = Cron("0 6 * * *")
NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def keeper(folder: Path, engine: Engine, clock: HandClock) -> Keeper:
    return Keeper(folder, MORNING, engine, clock)


def made(folder: Path, at: datetime) -> None:
    """Date the report as if it had been made then."""
    os.utime(folder / "report.html", (at.timestamp(), at.timestamp()))


def is_new(folder: Path, since: float) -> bool:
    return (folder / "report.html").stat().st_mtime != since


def test_a_report_is_made_where_none_is_and_again_when_it_is_due(tmp_path: Path, demo: Engine) -> None:
    folder, clock = tmp_path / "new" / "folder", HandClock(NOON)
    keep = keeper(folder, demo, clock).keep
    keep()
    assert (folder / "report.html").read_text().startswith("<!doctype html>")
    for at, is_due in (
        (NOON - timedelta(hours=5), False),
        (NOON - timedelta(hours=7), True),
        (NOON + timedelta(days=1), True),
    ):
        made(folder, at)
        keep()
        assert is_new(folder, at.timestamp()) is is_due, at
    assert [file.name for file in folder.iterdir()] == ["report.html"]


def test_a_failure_is_told_once_and_tried_again_after_a_while(tmp_path: Path) -> None:
    gone = open_engine(URL.create("postgresql+psycopg", host="127.0.0.1", port=1, database="none"))
    clock = HandClock(NOON)
    keep = keeper(tmp_path, gone, clock).keep
    with structlog.testing.capture_logs() as events:
        for minutes in (0, 1, 8, 1):
            clock.forward(minutes=minutes)
            keep()
    assert [event["event"] for event in events] == ["no report was made"] * 2
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    place = tmp_path / "report.html"
    place.mkdir()
    with pytest.raises(ReportError, match=r"report.html cannot be written: .*; what was there is as it was"):
        write(place, "text")
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_a_file_is_replaced_at_once_and_others_may_read_it(tmp_path: Path) -> None:
    place = tmp_path / "report.html"
    place.write_text("former")
    before = place.stat().st_ino
    assert write(place, "née") == 4
    assert (place.read_text(encoding="utf-8"), place.stat().st_ino != before) == ("née", True)
    assert place.stat().st_mode & 0o444 == 0o444 & ~umask()


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.slow
def test_the_daemon_keeps_a_report(tmp_path: Path, demo_url: URL) -> None:
    named = demo_url.render_as_string(hide_password=False)
    sources = "".join(f"[sources.{name}]\nenabled = false\n" for name in ("helicone_registry", "helicone_gateway"))
    bifrost = '[sources.bifrost]\nurl = "http://127.0.0.1:1"\nschedule = "0 0 1 1 *"\n'
    (tmp_path / "etl.toml").write_text(f'[report]\nfolder = "{tmp_path}/kept"\n{sources}{bifrost}')
    with daemon(tmp_path, DATABASE_URL=named):
        until((tmp_path / "kept" / "report.html").is_file, "the report")
    assert "What LLMs cost" in (tmp_path / "kept" / "report.html").read_text()
