"""What commands begin with: their session, and what several of them are told on the command line.

Like every module that declares commands, this one imports at its top only what takes no time: to ask for help is to
import them all.
"""

import difflib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from etl import telemetry
from etl.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from etl.cli.invocation import Session

LogFormat = Literal["auto", "human", "json"]

LogFormatOption = Annotated[
    LogFormat | None,
    typer.Option("--log-format", help="How events are written to stderr; default: human on a terminal."),
]


@dataclass(frozen=True)
class Preamble:
    """What was said before the command."""

    config_file: Path | None
    log_format: LogFormat | None


class Work:
    """Whether this command has a database that it can work on: from then on, not nothing was started."""

    has_begun = False


def session(context: typer.Context, log_format: LogFormat | None = None) -> "Session":
    """The session of the running command, begun when it is first asked for; the environment is read here alone.

    ``log_format`` is what was said behind the command, which counts.
    """
    from etl.cli.invocation import Session, begin

    if isinstance(context.obj, Preamble):
        Work.has_begun = False
        said = context.obj
        context.obj = begin(said.config_file, dict(os.environ), log_format or said.log_format)
        context.call_on_close(telemetry.flush)
    assert isinstance(context.obj, Session)  # noqa: S101  the callback of the application made it
    return context.obj


def require_known(name: str, known: Iterable[str], *, what: str = "source") -> None:
    """Raise ``ConfigurationError``, with the name that may have been meant, unless there is such a source."""
    names = list(dict.fromkeys(known))
    if name in names:
        return
    meant = near(name, names)
    there = f"did you mean {meant[0]}?" if meant else f"there is {', '.join(names) or 'none yet'}"
    raise ConfigurationError(f"no {what} {name}; {there}")


def near(name: str, names: Sequence[str]) -> list[str]:
    """At most three names that may have been meant: those that contain what was typed, or look like it."""
    spelled = {each.lower(): each for each in names}
    typed = name.lower()
    inside = [each for each in spelled if typed and typed in each]
    found = [*difflib.get_close_matches(typed, inside or spelled, n=3), *inside[:3]]
    return [spelled[each] for each in dict.fromkeys(found)][:3]


def require_source(current: "Session", connection: "Connection", name: str) -> None:
    """Raise ``ConfigurationError`` unless a source of that name is configured here or known to the warehouse."""
    from etl.load import log

    require_known(name, [*current.sources, *log.names(connection)])


def moment(option: str, value: str, *, instead: str = "") -> datetime:
    """The time that an option gives, UTC unless it says otherwise. Raises ``ConfigurationError`` for what is none.

    ``instead`` is what else could have been written.
    """
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        written = f"write 2026-01-31 or 2026-01-31T12:00:00Z{instead}"
        raise ConfigurationError(f"{option} {value} is no ISO 8601 time: {written}") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def clock() -> datetime:
    """The one clock: everything below takes it as an argument."""
    return datetime.now(UTC)
