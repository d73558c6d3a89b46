"""The command line. What a user can cause ends in one line on stderr and the contract's exit status."""

import os
import sys

from etl.cli import streams
from etl.cli.lettering import legible_lines, never_fail
from etl.concealment import redacted
from etl.errors import EtlError

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
        sys.exit(_complain(str(error), error.exit_status))
    except (SystemExit, KeyboardInterrupt) as end:
        if _is_interrupt(end):
            _break_off()
        raise
    except Exception as error:  # noqa: BLE001  whatever it is ends in one line and a status
        if _is_interrupt(error):  # Amid a command, Ctrl-C leaves a connection that cannot even be given back.
            _break_off()
        sys.exit(_database_trouble(error) or _crash(error))


def _run() -> None:
    """Importing the commands takes time, in which a user may break off as well."""
    from etl.cli.app import app  # noqa: PLC0415

    app(prog_name="etl")


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
