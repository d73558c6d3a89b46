"""What gateways call their models is shown and never obeyed, and no encoding ends a command."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import URL, Engine

from etl.cli.lettering import legible
from tests.cli.conftest import Run, named
from tests.cli.terminal import on_terminal
from tests.load.believing import load
from tests.load.worlds import World
from tests.processes import environment

HOSTILE = "openai/\x1b[31m[red]x[/red]\x1b]0;owned\x07\r\x9b2J\u202e"
SHOWN = r"openai/\x1b[31m[red]x[/red]\x1b]0;owned\x07\r\x9b2J\u202e"


def hostile(price: str) -> World:
    return World({HOSTILE: (HOSTILE, {"prompt": price})})


@pytest.fixture
def attacked(etl: Run, warehouse: Engine) -> Run:
    """A warehouse with a model whose name would take the terminal over."""
    load(warehouse, "s", 1, hostile("0.000001"))
    load(warehouse, "s", 2, hostile("0.000002"))
    return etl


@pytest.mark.parametrize("typed", [("history", HOSTILE), ("changes",), ("explain", "s", HOSTILE)])
def test_a_name_is_shown_and_not_obeyed(attacked: Run, typed: tuple[str, ...]) -> None:
    ended = attacked(*typed)
    assert ended.status == 0
    assert SHOWN in ended.out
    assert not re.search(r"[^\n -~→█▁-▇·×÷≈]", ended.out)


@pytest.mark.parametrize("typed", [("changes",), ("history", HOSTILE)])
def test_a_terminal_only_obeys_us(attacked: Run, warehouse_url: URL, tmp_path: Path, typed: tuple[str, ...]) -> None:
    del attacked
    seen = on_terminal(tmp_path, environment(tmp_path, DATABASE_URL=named(warehouse_url)), *typed)
    assert "\x1b[31m[red]" not in seen.raw
    assert "\x1b]0;" not in seen.raw
    assert "\x9b" not in seen.raw
    assert r"\x1b[31m[red]x[/red]" in seen.text.replace("\n", "")


@pytest.mark.parametrize("typed", [("history", HOSTILE + "?"), ("explain", "s", HOSTILE + "?")])
def test_a_complaint_shows_what_was_typed_and_does_not_obey_it(attacked: Run, typed: tuple[str, ...]) -> None:
    ended = attacked(*typed)
    assert ended.status == 2
    assert SHOWN in ended.err
    assert ended.err.rstrip("\n").isprintable()


def test_programs_get_the_name_as_it_is(attacked: Run) -> None:
    assert json.loads(attacked("history", HOSTILE, "--json").out)[0]["model_id"] == HOSTILE


@given(st.text())
def test_whatever_it_is_it_can_be_shown(name: str) -> None:
    shown = legible(name)
    shown.encode()
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_letters_of_all_scripts_stay_as_they_are(name: str) -> None:
    assert legible(name) == name


@pytest.mark.parametrize(
    ("encoding", "typed", "shown"),
    [
        ("ascii", ("changes", "--source", "demo_bifrost"), b"0.07 -> 0.028 USD"),
        pytest.param("latin-1", ("changes", "--source", "demo_bifrost"), b"0.07 -> 0.028 USD", marks=pytest.mark.slow),
        ("ascii", ("history", "o1"), b"2025-11-03 777777777777777777777                          7 2026-01-05"),
        pytest.param(
            "ascii",
            ("explain", "demo_bifrost", "openai/gpt-4o"),
            b"demo_bifrost | openai/gpt-4o | openai",
            marks=pytest.mark.slow,
        ),
        ("latin-1", ("explain", "demo_bifrost", "openai/gpt-4o"), b"demo_bifrost \xb7 openai/gpt-4o"),
        pytest.param("ascii", ("demo",), b"0.56 -> 0.28", marks=pytest.mark.slow),
        pytest.param("ascii", ("status",), b"demo_bifrost", marks=pytest.mark.slow),
        ("ascii", ("run", "--help"), b"Usage: etl run"),
    ],
)
def test_an_encoding_without_our_signs_gets_others(
    story_url: URL, tmp_path: Path, encoding: str, typed: tuple[str, ...], shown: bytes
) -> None:
    values = environment(tmp_path, DATABASE_URL=named(story_url), PYTHONIOENCODING=encoding)
    done = subprocess.run(
        [sys.executable, "-m", "etl", *typed], cwd=tmp_path, env=values, capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, shown in done.stdout) == (0, True), done.stderr
    assert b"Traceback" not in done.stderr


def test_a_name_beyond_the_encoding_ends_no_command(warehouse_url: URL, engine: Engine, tmp_path: Path) -> None:
    for day, price in enumerate(("0.000001", "0.000002")):
        load(engine, "s", day, World({"openai/mod\xe8le\u4e2d": ("m", {"prompt": price})}))
    values = environment(tmp_path, DATABASE_URL=named(warehouse_url), PYTHONIOENCODING="ascii")
    for typed in (("changes", "--format", "csv"), ("changes",)):
        command = [sys.executable, "-m", "etl", *typed]
        done = subprocess.run(command, cwd=tmp_path, env=values, capture_output=True, timeout=60, check=False)
        assert (done.returncode, rb"openai/mod\xe8le\u4e2d" in done.stdout) == (0, True), done.stderr


@pytest.mark.slow
def test_columns_stand_below_each_other_in_any_encoding(story_url: URL, tmp_path: Path) -> None:
    values = environment(tmp_path, DATABASE_URL=named(story_url), PYTHONIOENCODING="ascii")
    done = subprocess.run(
        [sys.executable, "-m", "etl", "demo"], cwd=tmp_path, env=values, capture_output=True, timeout=60, check=True
    )
    part = done.stdout.decode("ascii").partition("What changed in price")[2].splitlines()
    place = part[1].index("currency")
    assert {line[place:].split()[0] for line in part[2:] if re.match("20", line)} == {"USD", "CREDIT", "EUR"}
