"""Keeps up the basket of the price index: what entered, left and changed in it, by day (docs/series.md)."""

from datetime import datetime

from sqlalchemy import Connection, text

from etl.database.driver import Statement

_REFRESH = Statement(text("SELECT core.refresh_basket(:source, coalesce(CAST(:since AS timestamptz), '-infinity'))"))


def refresh(connection: Connection, source: str, since: datetime | None) -> None:
    """Work out the moves of a source anew from the day of a moment on (null: all), because prices moved."""
    _REFRESH.rows(connection, source=source, since=since)
