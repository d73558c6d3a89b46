"""The database's clock: it dates what becomes known, and says which observations claim to be from the future."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Connection, func, select

from etl.database.driver import Statement

Now = Callable[[Connection], datetime]
"""Returns the present time, aware and in UTC, for a connection."""

TOLERANCE = timedelta(minutes=1)
"""By so much the clocks of two machines may differ."""


def database_time(connection: Connection) -> datetime:
    """Return the time by the database's clock: not that of the transaction, which may have begun long ago."""
    [(now,)] = _NOW.rows(connection)
    return cast("datetime", now)


def future(observed_at: datetime, now: datetime) -> str | None:
    """Return how far an observation lies in the future, in words; None when it does not, give or take a minute."""
    ahead = observed_at - now
    if ahead <= TOLERANCE:
        return None
    return f"is dated {observed_at:%Y-%m-%d %H:%M:%S}Z, {_span(ahead)} ahead of the database's clock"


def _span(ahead: timedelta) -> str:
    """Return a span in the largest unit of which it has two or more."""
    seconds = int(ahead.total_seconds())
    units = (("days", 86_400), ("hours", 3_600), ("minutes", 60))
    return next((f"{seconds // size:,} {name}" for name, size in units if seconds >= 2 * size), f"{seconds} seconds")


_NOW = Statement(select(func.clock_timestamp()))
