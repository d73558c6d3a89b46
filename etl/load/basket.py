"""Keeps up the basket of the price index: what entered, left and changed in it, by day (docs/series.md)."""

from datetime import datetime

from sqlalchemy import Connection, text

from etl.load.merge import Moves

_REFRESH = text("SELECT core.refresh_basket(:source, coalesce(CAST(:since AS timestamptz), '-infinity'))")


def refresh(connection: Connection, source: str, since: datetime | None, moves: Moves) -> None:
    """Work out the moves of a source anew from the day of a moment on (null: all), if a load moved any price."""
    if moves.opened.get("price") or moves.closed.get("price"):
        connection.execute(_REFRESH, {"source": source, "since": since})
