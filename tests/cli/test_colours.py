"""Colours mean something, are never all that does, and are where they are wanted; tables fit their terminal."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine

from tests.cli import terminal
from tests.cli.conftest import Run, named
from tests.cli.terminal import Seen, on_terminal
from tests.load.believing import load
from tests.load.worlds import World
from tests.processes import environment, etl

Look = Callable[..., Seen]

STYLED = "\x1b["

EVERY = [
    ("changes",),
    *(pytest.param(typed, marks=pytest.mark.slow) for typed in (("status",), ("history", "deepseek-chat"), ("demo",))),
]
"""The commands with tables: one is tried each time, the others take as long again."""


@pytest.fixture
def look(story_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Look:
    """A command on a terminal of some width, with the story."""

    def see(*typed: str, width: int = 80, **values: str) -> Seen:
        monkeypatch.setattr(terminal, "COLUMNS", width)
        return on_terminal(tmp_path, environment(tmp_path, DATABASE_URL=named(story_url), **values), *typed)

    return see


def world(price: str) -> World:
    return World({"openai/m": ("m", {"prompt": price})})


def test_cuts_are_green_rises_red_and_suspects_yellow(look: Look) -> None:
    raw = look("changes", width=250).raw
    assert re.search(r"\x1b\[32mdecreased 50% *\x1b", raw)
    assert re.search(r"\x1b\[31mincreased 14.3% *\x1b", raw)
    assert re.search(r"\x1b\[33mincreased x10\S* \(suspect\) *\x1b", raw)
    assert re.search(r"\x1b\[32m *-50%", look("history", "deepseek-chat").raw)


@pytest.mark.slow
def test_the_demo_has_the_same_colours(look: Look) -> None:
    demo = look("demo", width=100).raw
    assert re.search(r"\x1b\[32m0.56 → 0.28 *\x1b", demo)
    assert re.search(r"\x1b\[31m280 → 320 *\x1b", demo)


def test_what_is_no_longer_believed_is_dim(warehouse_url: URL, engine: Engine, tmp_path: Path) -> None:
    load(engine, "s", 1, world("0.000001"))
    load(engine, "s", 5, world("0.000002"))
    load(engine, "s", 3, world("0.000002"))
    values = environment(tmp_path, DATABASE_URL=named(warehouse_url))
    raw = on_terminal(tmp_path, values, "changes", "--since", "c0").raw
    assert re.search(r"\x1b\[2mno longer believed: *\x1b", raw)
    assert re.search(r"\x1b\[31mincreased 100% *\x1b", raw)


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        (("changes",), {"NO_COLOR": "1"}),
        pytest.param(("status",), {"NO_COLOR": "no"}, marks=pytest.mark.slow),
        pytest.param(("history", "deepseek-chat"), {"NO_COLOR": "1"}, marks=pytest.mark.slow),
        pytest.param(("changes",), {"TERM": "dumb"}, marks=pytest.mark.slow),
        (("history", "deepseek-chat"), {"TERM": "dumb"}),
    ],
)
def test_no_style_where_none_is_wanted(look: Look, typed: tuple[str, ...], values: dict[str, str]) -> None:
    seen = look(*typed, **values)
    assert seen.status == 0
    assert STYLED not in seen.raw


@pytest.mark.parametrize("typed", EVERY)
def test_there_is_style_where_nothing_forbids_it(look: Look, typed: tuple[str, ...]) -> None:
    assert STYLED in look(*typed, NO_COLOR="").raw.replace("\x1b[?25", "").replace("\x1b[2K", "").replace("\x1b[1A", "")


@pytest.mark.parametrize("typed", EVERY)
def test_a_pipe_has_no_style_and_is_never_folded(story_url: URL, tmp_path: Path, typed: tuple[str, ...]) -> None:
    piped = etl(tmp_path, *typed, DATABASE_URL=named(story_url), COLUMNS="40", TERM="xterm")
    assert "\x1b" not in piped.out
    assert piped.out == etl(tmp_path, *typed, DATABASE_URL=named(story_url), COLUMNS="400").out
    assert not any(line.endswith(" ") for line in piped.out.splitlines())


def test_a_pipe_has_colours_where_they_are_forced_and_not_forbidden(story_url: URL, tmp_path: Path) -> None:
    values = {"DATABASE_URL": named(story_url), "FORCE_COLOR": "1"}
    assert "\x1b[32mdecreased 50%" in etl(tmp_path, "changes", **values).out
    assert "\x1b" not in etl(tmp_path, "changes", NO_COLOR="1", **values).out


@pytest.mark.parametrize(
    "width", [pytest.param(40, marks=pytest.mark.slow), 80, pytest.param(160, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("typed", [("changes",), ("status",), ("snapshots",), ("history", "gemini-2.5-pro")])
def test_nothing_is_wider_than_the_terminal(look: Look, typed: tuple[str, ...], width: int) -> None:
    lines = look(*typed, width=width).text.splitlines()
    said = [line for line in lines if not line.startswith(("other prices", "without prices", "configured otherwise"))]
    assert max(map(len, said)) <= width


@pytest.mark.parametrize("width", [80, *(pytest.param(width, marks=pytest.mark.slow) for width in (160, 300))])
def test_the_health_of_a_source_is_in_one_line_on_any_terminal(look: Look, width: int) -> None:
    text = look("status", width=width).text
    assert re.search(r"^demo_bifrost .*disabled .*2026-01-05 10:20:00Z .*15 +43", text, re.MULTILINE)
    assert "no: not configured" in text
    assert "3:00:00" in text


def test_what_a_narrow_terminal_has_no_room_for_stands_below_its_row(look: Look) -> None:
    lines = look("changes").text.splitlines()
    place = next(place for place, line in enumerate(lines) if line.startswith("2026-01-05 10:20  increased 14.3%"))
    assert lines[place].endswith("280 → 320 CREDIT per 1M")
    assert lines[place + 1].strip() == "source demo_majestix · model grok-4-fast · provider xai · meter input_token"


def test_columns_that_say_nothing_are_left_out_of_a_terminal_alone(look: Look, story: None, etl: Run) -> None:
    del story
    assert "quarantined" not in look("status", width=200).text
    assert "quarantined" in etl("status").out.splitlines()[0]
