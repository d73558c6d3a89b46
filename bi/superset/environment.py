"""Superset's own virtual environment below ``build/superset``: made once, used again until its pins change."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "build" / "superset" / "venv"
_PINS = [Path(__file__).with_name(name) for name in ("requirements.txt", "constraints.txt")]
_VERSIONS = ("3.12", "3.11")
"""The versions of Python that this Superset is known to run on, and that its packages have wheels for."""


class NotInstalledError(Exception):
    """Superset cannot be had here; the message says why."""


def python() -> Path:
    """The interpreter that has Superset. Raises ``NotInstalledError`` when it cannot be installed."""
    interpreter, installed = PLACE / "bin" / "python", PLACE / "installed.txt"
    pins = "".join(file.read_text(encoding="utf-8") for file in _PINS)
    if installed.is_file() and installed.read_text(encoding="utf-8") == pins:
        return interpreter
    sys.stderr.write(f"installing Superset into {PLACE.relative_to(ROOT)} …\n")
    requirements, constraints = _PINS
    _run(_suitable(), "-m", "venv", "--clear", PLACE)
    quietly = ["--disable-pip-version-check", "--quiet", "--prefer-binary"]
    _run(interpreter, "-m", "pip", "install", *quietly, "-c", constraints, "-r", requirements)
    installed.write_text(pins, encoding="utf-8")
    return interpreter


def _suitable() -> str:
    """A Python of a version that Superset runs on: this one if it is of such a version, or one on the path."""
    if "{}.{}".format(*sys.version_info) in _VERSIONS:
        return sys.executable
    found = next(filter(None, (shutil.which(f"python{version}") for version in _VERSIONS)), None)
    if found is None:
        raise NotInstalledError(f"Superset needs Python {' or '.join(_VERSIONS)}")
    return found


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own programs
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise NotInstalledError(f"Superset cannot be installed: {why}")
