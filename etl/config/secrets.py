"""Secrets of the environment: the value of a variable, or, under its name with ``_FILE``, a file that holds it."""

import os
from collections.abc import Mapping
from pathlib import Path

from etl.errors import ConfigurationError
from etl.files.trust import writable

FILE = "_FILE"
"""Behind the name of a variable: the path of a file that holds its value."""


def lookup(environ: Mapping[str, str], variable: str) -> str | None:
    """What a variable holds, or the file that ``<variable>_FILE`` names; null when neither is set.

    Raises ``ConfigurationError`` when both are set, or the file cannot be read.
    """
    value, file = environ.get(variable, "").strip(), environ.get(variable + FILE, "").strip()
    if value and file:
        raise ConfigurationError(f"environment: {variable} and {variable}_FILE are both set: unset one of them")
    return from_file(Path(file), f"environment: {variable}_FILE") if file else value or None


def from_file(file: Path, place: str) -> str:
    """The secret that a file holds, without the space around it. Raises ``ConfigurationError`` naming the ``place``."""
    try:
        with file.open(encoding="utf-8") as opened:
            why = writable(file, os.fstat(opened.fileno()))
            found = opened.read().strip()
    except OSError as error:
        remedy = "check the path and its rights, or take the key out"
        raise ConfigurationError(f"{place}: {file} cannot be read: {error.strerror}; {remedy}") from None
    except ValueError:
        raise ConfigurationError(f"{place}: {file} holds no text: write the secret into it, on one line") from None
    if why:
        raise ConfigurationError(f"{place}: {file} {why}")
    if not found:
        raise ConfigurationError(f"{place}: {file} is empty: write the secret into it, on one line")
    return found
