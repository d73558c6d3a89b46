"""Every command that there is, as it is typed."""

from collections.abc import Iterator

import click
from typer.main import get_command

from etl.cli.app import app


def commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """The words of each command, and what it takes."""
    yield from _below((), get_command(app))


def _below(words: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield words, command
        return
    for name, each in inner.items():
        yield from _below((*words, name), each)
