"""To ask for help takes no time, because nothing is imported for it that only a command needs."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.processes import ROOT, environment


@pytest.mark.parametrize(
    "typed", [("--help",), ("run", "--help"), ("snapshots", "release", "--help"), ("db", "copy", "--help")]
)
def test_help_imports_nothing_slow(tmp_path: Path, typed: tuple[str, ...]) -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    slow = rules["flake8-tidy-imports"]["banned-module-level-imports"]
    imported = _imported(tmp_path, typed)
    assert {"etl.cli.app", "etl.cli.pull"} <= imported
    assert {"sqlalchemy", "httpx", "apscheduler", "rich", "structlog", "etl.load"} <= set(slow)
    assert [name for name in sorted(imported) if any(f"{name}.".startswith(f"{each}.") for each in slow)] == []


def _imported(folder: Path, typed: tuple[str, ...]) -> set[str]:
    """Every module that a process of its own imports for a command."""
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "etl", *typed],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stderr
    return {line.rpartition("|")[2].strip() for line in told.splitlines() if line.startswith("import time:")}
