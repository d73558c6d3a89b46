"""The command line. What a user can cause ends in one line on stderr and the contract's exit status."""

import sys

from etl.errors import EtlError


def main() -> None:
    """Run ``etl``; never show a traceback for what a user, a gateway or a database did."""
    from etl.cli.app import app  # noqa: PLC0415  importing it reads every command

    try:
        app(prog_name="etl")
    except EtlError as error:
        sys.exit(_complain(str(error), error.exit_status))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:
        text = _database_trouble(error)
        if text is None:
            raise
        sys.exit(_complain(text, 2))


def _complain(text: str, status: int) -> int:
    print(f"etl: {text}", file=sys.stderr)  # noqa: T201  the one line that the user sees
    return status


def _database_trouble(error: Exception) -> str | None:
    """The one line for a database that went away or refused in the middle of a command."""
    from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError  # noqa: PLC0415

    if not isinstance(error, OperationalError | InterfaceError | ProgrammingError):
        return None
    return "the database gave up: " + " ".join(str(error.orig).split())[:300]
