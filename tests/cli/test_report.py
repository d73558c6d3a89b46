"""``etl report``: where it writes, what narrows it, and what it refuses in one line."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine

from tests import processes
from tests.cli.conftest import Run, named
from tests.schedule.daemons import until


@pytest.mark.usefixtures("story")
def test_it_writes_a_page_and_says_where(etl: Run, folder: Path) -> None:
    ended = etl("report")
    assert (ended.status, ended.out) == (0, "")
    assert ended.err == f"report.html: 2.1 MB; open it in a browser: {(folder / 'report.html').as_uri()}\n"
    assert (folder / "report.html").read_text().startswith("<!doctype html>")


def test_it_is_opened_by_what_opens_files_here(story_url: URL, tmp_path: Path) -> None:
    opener = tmp_path / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\necho "$1" > "{tmp_path}/opened"\n')
    opener.chmod(0o755)
    values = {"DATABASE_URL": named(story_url), "PATH": f"{opener.parent}:/usr/bin:/bin"}
    assert processes.etl(tmp_path, "report", "--open", **values).status == 0
    until((tmp_path / "opened").is_file, "the opener")
    until(lambda: (tmp_path / "opened").read_text() == f"{tmp_path / 'report.html'}\n", "its argument")


@pytest.mark.usefixtures("story")
def test_the_page_can_go_to_stdout_and_be_narrowed(etl: Run, folder: Path) -> None:
    ended = etl("report", "-o", "-", "--source", "demo_phaseo", "--model", "gpt-4o", "--since", "2025-12-01")
    assert (ended.status, ended.err) == (0, "")
    assert "Changes since 2025-12-01 00:00" in ended.out
    assert re.search(
        r"All times are in UTC.\s+Changes since .*\s+Only the source demo_phaseo\.\s+Only the model", ended.out
    )
    assert "Only the model gpt-4o." in ended.out
    assert "deepseek" not in ended.out.partition('<script type="application/gzip"')[0]
    assert list(folder.iterdir()) == []


def test_an_empty_warehouse_is_no_error(etl: Run, warehouse: Engine, folder: Path) -> None:
    del warehouse
    ended = etl("report")
    assert ended.status == 0
    assert ended.err.startswith("nothing was observed yet: the page says what to do\n")
    assert re.search(r"\nreport.html: \d+ kB; ", ended.err)
    assert "etl demo" in (folder / "report.html").read_text()


@pytest.mark.usefixtures("story")
@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        (("--source", "demo_bifros"), "no source demo_bifros; did you mean demo_bifrost?"),
        (("--model", "gpt-99"), "no model is called gpt-99"),
        (("--since", "yesterday"), "--since yesterday is no ISO 8601 time"),
        (("-o", "nowhere/report.html"), "--output nowhere/report.html: there is no folder nowhere; make it first"),
        (("-o", "."), "--output . is a folder: name a file in it, such as report.html"),
        (("-o", ""), "--output is empty: name a file, or - for stdout"),
        (("-o", "pipe"), "--output pipe is no regular file: name one, or - for stdout"),
        (("--since", ""), "--since  is no ISO 8601 time"),
        (("--since", "2999-01-01"), "--since 2999-01-01 is still to come: nothing was observed since"),
        (("--model", " "), "--model is empty: write an id"),
        (("-o", "-", "--open"), "--open needs a file: name one by --output"),
    ],
)
def test_wrong_usage_is_one_line_and_writes_nothing(
    etl: Run, folder: Path, typed: tuple[str, ...], complaint: str
) -> None:
    os.mkfifo(folder / "pipe")
    ended = etl("report", *typed)
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    assert ended.err.startswith(f"etl: {complaint}")
    assert [file.name for file in folder.iterdir()] == ["pipe"]
    assert (folder / "pipe").is_fifo()


@pytest.mark.usefixtures("story")
def test_a_link_is_replaced_and_what_it_leads_to_is_not_written(etl: Run, folder: Path) -> None:
    """Others could have put it there, if they may write the folder."""
    (folder / "theirs.html").write_text("untouched")
    (folder / "link.html").symlink_to(folder / "theirs.html")
    assert etl("report", "-o", "link.html").status == 0
    assert (folder / "theirs.html").read_text() == "untouched"
    assert "What LLMs cost" in (folder / "link.html").read_text()
    long = folder / ("n" * 250 + ".html")
    assert etl("report", "-o", long.name).status == 0
    assert long.is_file()


def test_a_full_stdout_is_one_line(story_url: URL, tmp_path: Path) -> None:
    values = processes.environment(tmp_path, DATABASE_URL=named(story_url))
    command = [sys.executable, "-m", "etl", "report", "-o", "-"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, cwd=tmp_path, env=values, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert b"etl: stdout cannot be written: No space left on device" in done.stderr
