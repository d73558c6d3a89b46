"""Names and values that no file system, terminal or database takes end every command in one line, with status 2."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.cli.commands import commands
from tests.cli.conftest import Run
from tests.processes import environment

LONG = "n" * 300
"""Longer than the name of a file can be."""

COMMANDS = dict(commands())


def taken(words: tuple[str, ...], value: str) -> list[tuple[str, ...]]:
    """A command with a value in the place of its arguments, and of each option that takes one."""
    parameters = [each for each in COMMANDS[words].params if each.name != "help"]
    arguments = [each for each in parameters if each.param_type_name == "argument"]
    options = [each for each in parameters if each.param_type_name == "option" and not getattr(each, "is_flag", True)]
    places = [value] * len(arguments)
    return [(*words, *places), *((*words, each.opts[0], value, *places) for each in options)]


@pytest.mark.parametrize("value", ["caf\udce9", "a\0b"])
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_an_argument_that_is_no_text_is_one_line(etl: Run, words: tuple[str, ...], value: str) -> None:
    ended = etl(*words, value)
    assert (ended.status, ended.out) == (2, "")
    assert ended.complaints == [
        f"etl: argument {len(words) + 1} is no UTF-8 text: write it in UTF-8, without NUL; rename what it names"
    ]


QUICK = {("report",), ("export",), ("backfill",)}


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(words, marks=() if words in QUICK else pytest.mark.slow, id=" ".join(words))
        for words in COMMANDS
        if words != ("schedule",)
    ],
)
def test_a_name_that_is_too_long_is_one_line(
    etl: Run, warehouse: Engine, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    assert warehouse
    monkeypatch.setenv("PGBIN", "/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")
    for typed in [each for each in taken(words, LONG) if LONG in each]:
        ended = etl(*typed)
        assert ended.status in (0, 2), typed
        assert "please report" not in ended.err, typed
        assert "Traceback" not in ended.err, typed


@pytest.mark.parametrize("variable", ["DATABASE_URL", "ETL_HOME", "ETL_BIFROST_URL", "BIFROST_API_KEY"])
def test_a_variable_that_is_no_text_is_one_line(
    etl: Run, monkeypatch: pytest.MonkeyPatch, folder: Path, variable: str
) -> None:
    monkeypatch.setenv(variable, f"{folder}/caf\udce9")
    ended = etl("status")
    assert (ended.status, len(ended.complaints)) == (2, 1)
    assert f"environment: {variable} is no UTF-8 text" in ended.err


def test_bytes_that_a_shell_passes_on_are_one_line(tmp_path: Path) -> None:
    command = [sys.executable.encode(), b"-m", b"etl", b"backfill", b"bifrost", b"caf\xe9"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(tmp_path), capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)


@pytest.mark.usefixtures("warehouse")
def test_a_file_of_such_a_name_in_a_folder_is_one_line(etl: Run, folder: Path) -> None:
    (folder / "saved").mkdir()
    (folder / "saved" / "2026-01-01T00:00:00Z caf\udce9.json").write_text("{}")
    ended = etl("backfill", "bifrost", "saved")
    assert ended.status == 2, ended.err
    assert len(ended.complaints) == 1
    assert "please report" not in ended.err
