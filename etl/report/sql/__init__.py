"""The questions of a report, one a file, all to the mart; the first line of each says what one row is."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from sqlalchemy import Connection, text

Row = dict[str, Any]

_SQL = {
    file.name.removesuffix(".sql"): text(file.read_text("utf-8"))
    for file in files(__package__).iterdir()
    if file.name.endswith(".sql")
}


def rows(connection: Connection, question: str, values: Mapping[str, Any]) -> list[Row]:
    """What a question answers."""
    return [dict(row) for row in connection.execute(_SQL[question], dict(values)).mappings()]
