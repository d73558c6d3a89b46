"""Every command that there is, as it is typed."""

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from etl.cli.app import app


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    """The words of each command, and the command as Click knows it."""
    yield from _below((), get_command(app))


def _below(words: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield words, command
        return
    for name, each in inner.items():
        yield from _below((*words, name), each)
