"""Whether the daemon could do its work now: the database answers and has the schema that this version needs."""

from collections.abc import Callable

from sqlalchemy import URL, Engine

from etl.database import migrations
from etl.database.engine import open_engine, require_reachable, shown
from etl.errors import EtlError
from etl.patience import Patient

PATIENCE_SECONDS = 3.0


def asking_engine(url: URL) -> Engine:
    """An engine for questions that a machine asks often and that must not hang: short to connect, short to answer."""
    return open_engine(url, connect_seconds=2, statement_seconds=2)


def readiness(engine: Callable[[], Engine]) -> Callable[[], str | None]:
    """Asks a database, within three seconds, why no run could be loaded now: one line without a password, or null.

    ``engine`` gives the one to ask by now.
    """
    asked = Patient(lambda: _why_not(engine()), PATIENCE_SECONDS)

    def why_not() -> str | None:
        try:
            return asked()
        except TimeoutError:
            where = shown(engine().url)
            return f"no answer from the database at {where} within {PATIENCE_SECONDS:g} s"

    return why_not


def _why_not(engine: Engine) -> str | None:
    try:
        require_reachable(engine)
        migrations.require_current(engine)
    except EtlError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  a database can go away between two questions
        return f"the database gave up: {type(error).__name__}"
    return None
