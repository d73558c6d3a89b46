"""The dashboards of bi/grafana as Grafana reads them, and their queries as it sends them to Postgres.

What is imitated, and nothing more: variables are replaced first, by the rules of the PostgreSQL data source for
variables that may have several values (each value between single quotes, a quote in it doubled; All is every option);
then the macros, by pattern, over the whole text. So a value that itself reads as a macro would be replaced, too.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import Connection

from tests.docs.markdown import ROOT

GRAFANA = ROOT / "bi" / "grafana"
FILES = (*sorted((GRAFANA / "dashboards").glob("*.json")), *sorted((GRAFANA / "optional").glob("*.json")))
POSTGRES = "grafana-postgresql-datasource"
ALL = "$__all"

_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)")
_MACRO = re.compile(r"\$(\w+)\(([^)]*)\)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

Values = Mapping[str, Sequence[str]]
"""What is chosen in each variable."""


class Query(NamedTuple):
    """One query of a dashboard, in the words of its JSON: of a panel, or of a variable."""

    dashboard: str
    title: str
    sql: str
    format: str
    panel: Mapping[str, Any]


class Range(NamedTuple):
    """The time range of a dashboard, and the interval that Grafana takes for so many pixels."""

    start: datetime
    end: datetime
    interval: str = "1h"


class Answer(NamedTuple):
    """What Postgres gave: the names and the types of the columns, and the rows."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def load(path: Path) -> dict[str, Any]:
    """A dashboard."""
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def panels(dashboard: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every panel, rows and what is folded into them included."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def drawn(dashboard: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every panel that shows something."""
    return [panel for panel in panels(dashboard) if panel["type"] != "row"]


def queries() -> Iterator[Query]:
    """The SQL of every panel."""
    for path in FILES:
        for panel in drawn(load(path)):
            for target in panel["targets"]:
                if target["datasource"]["type"] == POSTGRES:
                    yield Query(path.stem, panel["title"], target["rawSql"], target["format"], panel)


def used(text: str) -> set[str]:
    """The variables that a text names, without Grafana's own."""
    names = {braced or bare for braced, _, bare in _VARIABLE.findall(text)}
    return {name for name in names if not name.startswith("__")}


def expand(sql: str, values: Values, during: Range) -> str:
    """The statement that reaches Postgres."""

    def value(found: re.Match[str]) -> str:
        braced, style, bare = found.groups()
        if (braced or bare) not in values:
            return found[0]
        if style is not None:
            raise ValueError(f"{found[0]}: only the data source's own quoting is right for Postgres")
        return ",".join(literal(each) for each in values[braced or bare])

    return _MACRO.sub(
        lambda macro: _macro(macro[1], [word.strip(" ") for word in macro[2].split(",")], during),
        re.sub(r"\$__interval\b", during.interval, _VARIABLE.sub(value, sql)),
    )


def literal(value: str) -> str:
    """A value between quotes."""
    return "'" + value.replace("'", "''") + "'"


def _macro(name: str, words: list[str], during: Range) -> str:
    start, end = (literal(moment.strftime("%Y-%m-%dT%H:%M:%SZ")) for moment in during[:2])
    match name, words:
        case "__timeFilter", [column]:
            return f"{column} BETWEEN {start} AND {end}"
        case "__timeFrom", [""]:
            return start
        case "__timeTo", [""]:
            return end
        case "__timeGroupAlias", [column, interval]:
            length = seconds(interval)
            return f'floor(extract(epoch from {column})/{length})*{length} AS "time"'
        case _:
            raise ValueError(f"no macro ${name} with {len(words)} arguments")


def seconds(interval: str) -> int:
    """How long an interval is that is written as Grafana writes it."""
    return int(interval[:-1]) * _SECONDS[interval[-1]]


def ask(connection: Connection, sql: str) -> Answer:
    """Run a statement as it stands: nothing in it is a parameter."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    with driver.cursor() as cursor:
        cursor.execute(sql.encode())
        described = cursor.description or []
        types = tuple(psycopg.adapters.types[column.type_code].name for column in described)
        return Answer(tuple(column.name for column in described), types, cursor.fetchall())


def chosen(connection: Connection, path: Path, during: Range, **wanted: Sequence[str]) -> dict[str, Sequence[str]]:
    """What each variable of a dashboard holds when it is opened, or what is wanted of it; asked in their order."""
    values: dict[str, Sequence[str]] = {}
    for variable in load(path)["templating"]["list"]:
        options = [str(row[0]) for row in ask(connection, expand(variable["query"], values, during)).rows]
        current = variable["current"].get("value", options[:1])
        values[variable["name"]] = wanted.get(variable["name"], options if ALL in current else current)
    return values


def moment(value: Any) -> datetime:
    """A value of the column ``time``: Grafana takes a number for seconds since 1970."""
    return value if isinstance(value, datetime) else datetime.fromtimestamp(0, UTC) + timedelta(seconds=float(value))
