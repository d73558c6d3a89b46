"""The command line. What a user can cause ends in one line on stderr and the contract's exit status."""

import errno
import os
import sys

from etl.cli import streams
from etl.cli.lettering import legible_lines, never_fail
from etl.concealment import redacted
from etl.errors import ConfigurationError, EtlError

INTERRUPTED = 130


def main() -> None:
    """Run ``etl``; never show a traceback for what a user, a gateway or a database did."""
    streams.secure()
    never_fail()
    try:
        _end_well_or_badly()
    except SystemExit as end:
        if line := streams.unwritten():
            sys.exit(_complain(line, 1) if end.code in (0, None) else end.code)
        raise


def _end_well_or_badly() -> None:
    try:
        _run()
    except EtlError as error:
        sys.exit(_complain(str(error), 2 if _is_name_too_long(error) else error.exit_status))
    except (SystemExit, KeyboardInterrupt) as end:
        if _is_interrupt(end):
            _break_off()
        raise
    except Exception as error:  # noqa: BLE001  whatever it is ends in one line and a status
        if _is_interrupt(error):  # Amid a command, Ctrl-C leaves a connection that cannot even be given back.
            _break_off()
        sys.exit(_database_trouble(error) or _unusable_name(error) or _crash(error))


def _run() -> None:
    """Importing the commands takes time, in which a user may break off as well."""
    _require_text()
    from etl.cli.app import app  # noqa: PLC0415

    app(prog_name="etl")


_OURS = ("DATABASE_URL", "TARGET_DATABASE_URL", "PGBIN", "ETL_")
"""How the names of our variables begin, but for those that the configuration names."""


def _require_text() -> None:
    """Raise ``ConfigurationError`` for an argument or a variable that cannot be stored, shown or be a path."""
    typed = {f"argument {number}": value for number, value in enumerate(sys.argv[1:], 1)}
    values = {name: value for name, value in os.environ.items() if name.startswith(_OURS) or name.endswith("_API_KEY")}
    for place, value in (typed | {f"environment: {name}": value for name, value in values.items()}).items():
        if "\0" in value or not _is_text(value):
            raise ConfigurationError(f"{place} is no UTF-8 text: write it in UTF-8, without NUL; rename what it names")


def _is_text(value: str) -> bool:
    """Whether it came as UTF-8: bytes that are none arrive as lone surrogates."""
    return not any("\ud800" <= each <= "\udfff" for each in value)


def _is_name_too_long(error: BaseException | None) -> bool:
    """Whether it all began with a name that no file can have, whatever it was wrapped in on the way."""
    while error is not None and getattr(error, "errno", None) != errno.ENAMETOOLONG:
        error = error.__cause__ or error.__context__
    return error is not None


def _unusable_name(error: Exception) -> int | None:
    """The status for a name that no file system or database takes, after one line; null for other errors."""
    if isinstance(error, OSError) and error.errno in (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR):
        return _complain(f"{str(error.filename)[:80]}: {error.strerror}: write another name", 2)
    if isinstance(error, UnicodeEncodeError) and not _is_text(str(error.object)):
        return _complain("a name or a value is no UTF-8: look at the names of files and at the environment", 2)
    return None


def _complain(text: str, status: int) -> int:
    from etl import log

    line = f"etl: {redacted(text)}"
    if log.is_whole():
        log.say(line)
    else:
        print(legible_lines(line), file=sys.stderr)  # noqa: T201  the one line that the user sees
    return status


def _crash(error: Exception) -> int:
    """A mistake of ours, told with all that is needed to mend it."""
    from etl import log

    log.crashed(error)
    return _complain(f"{type(error).__name__}: {error}; please report this", 1)


def _is_interrupt(end: BaseException | None) -> bool:
    """Whether it all began with Ctrl-C, which typer turns into other exceptions on the way."""
    while end is not None and not isinstance(end, KeyboardInterrupt):
        end = end.__cause__ or end.__context__
    return end is not None


def _break_off() -> None:
    """End now: threads that still wait for gateways hold nothing that a run would not do again."""
    _complain("interrupted; what is loaded stays, the next run does the rest", INTERRUPTED)
    sys.stderr.flush()
    os._exit(INTERRUPTED)


def _database_trouble(error: Exception) -> int | None:
    """The status for a database that went away or refused, after the one line that says so; null for other errors.

    A statement that is wrong or not permitted has done nothing, and neither has a command before it had a database.
    """
    import psycopg
    from sqlalchemy.exc import DBAPIError

    from etl.cli.session import Work  # noqa: PLC0415  it imports the commands' library

    fault = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(fault, psycopg.Error):
        return None
    is_begun = Work.has_begun and not isinstance(fault, psycopg.ProgrammingError)
    return _complain("the database gave up: " + " ".join(str(fault).split())[:300], 1 if is_begun else 2)
