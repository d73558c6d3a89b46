"""The command line. What a user can cause ends in one line on stderr and the contract's exit status."""

import os
import sys

from etl.cli.lettering import legible_lines, never_fail
from etl.concealment import redacted
from etl.errors import EtlError

INTERRUPTED = 130


def main() -> None:
    """Run ``etl``; never show a traceback for what a user, a gateway or a database did."""
    never_fail()
    try:
        _run()
    except EtlError as error:
        sys.exit(_complain(str(error), error.exit_status))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except (SystemExit, KeyboardInterrupt) as end:
        if _is_interrupt(end):
            _break_off()
        raise
    except Exception as error:  # noqa: BLE001  whatever it is ends in one line and a status
        if _is_interrupt(error):  # Amid a command, Ctrl-C leaves a connection that cannot even be given back.
            _break_off()
        text = _database_trouble(error)
        sys.exit(_complain(text, 2) if text else _crash(error))


def _run() -> None:
    """Importing the commands takes time, in which a user may break off as well."""
    from etl.cli.app import app  # noqa: PLC0415

    app(hoisted(sys.argv[1:]), prog_name="etl")


def hoisted(arguments: list[str]) -> list[str]:
    """Return the arguments with ``--config FILE`` before the command, wherever it was written."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    for place, argument in enumerate(arguments[:end]):
        if argument == "--config" or argument.startswith("--config="):
            after = place + (2 if argument == "--config" else 1)
            return arguments[place:after] + arguments[:place] + arguments[after:]
    return arguments


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


def _database_trouble(error: Exception) -> str | None:
    """The one line for a database that went away or refused in the middle of a command."""
    import psycopg
    from sqlalchemy.exc import DBAPIError

    fault = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(fault, psycopg.Error):
        return None
    return "the database gave up: " + " ".join(str(fault).split())[:300]
