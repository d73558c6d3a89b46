"""How far a backfill has come, where nobody looks at a terminal."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from etl.cli import progress, pull
from etl.result import Result
from tests.cli.conftest import Run


def results(count: int) -> Iterator[Result]:
    for _ in range(count):
        yield Result(source="s", status="loaded", observed_at=datetime(2026, 1, 1, tzinfo=UTC))


def test_of_few_snapshots_each_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(list(progress.shown(results(3), total=3))) == 3
    assert capsys.readouterr().err.splitlines() == [f"[{n}/3] s 2026-01-01 00:00:00Z loaded" for n in (1, 2, 3)]


def test_of_many_there_is_a_line_now_and_then_with_the_rate_and_the_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(list(progress.shown(results(1000), total=1000))) == 1000
    first, last = capsys.readouterr().err.splitlines()
    assert first == "[1/1000] s 2026-01-01 00:00:00Z loaded"
    assert last.startswith("[1000/1000] s 2026-01-01 00:00:00Z loaded, ")
    assert last.endswith("/s")
    monkeypatch.setattr(progress, "PAUSE", 0.0)
    shown = progress.shown(results(100_000), total=100_000)
    for _ in range(9):
        next(shown)
    assert "/s, 0:0" in capsys.readouterr().err.splitlines()[-1]


def test_of_many_snapshots_only_those_are_told_that_there_is_something_to_say_of(
    etl: Run, warehouse: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert warehouse
    monkeypatch.setattr(pull, "ROWS", 2)
    for day, body in enumerate(('{"data": []}', "<html>", '{"data": []}'), 1):
        (folder / f"2026-01-0{day}.json").write_text(body)
    ended = etl("backfill", "bifrost", *(f"2026-01-0{day}.json" for day in (1, 2, 3)))
    assert ended.status == 1
    assert [line.split()[1] for line in ended.out.splitlines()] == ["status", "failed", "snapshots:"]
    assert ended.out.splitlines()[-1] == "3 snapshots: 2 unchanged, 1 failed"
    [line] = ended.complaints
    assert "2026-01-02.json sent HTML where JSON was expected" in line
