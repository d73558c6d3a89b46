"""Compares the believed history of a source with one that was rebuilt, wherever that lies, row by row."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, FromClause, Select, func, literal_column, select
from sqlalchemy import column as column_of
from sqlalchemy import table as table_of

from etl.load.merge import Moves
from etl.load.relations import HISTORY
from etl.load.retention import PRUNED
from etl.load.tables import quarantine, unmapped_field

EXAMPLES = 5
"""How many differing rows of each table and side are told."""

SET_ASIDE = (quarantine, unmapped_field)

PRUNED_OF = quarantine.alias("pruned")

Pair = tuple[str, Select[Any], Select[Any]]
"""The name of a table, what is there, and what should be."""


@dataclass(kw_only=True, slots=True)
class Difference:
    """Where one table differs: how many rows only the live or only the rebuilt one has, and the first of them."""

    table: str
    only_live: int
    only_rebuilt: int
    examples: list[dict[str, Any]]


@dataclass(kw_only=True, slots=True)
class Verdict:
    """What verifying one source found. ``rows`` counts the rebuilt ones by table."""

    source: str
    snapshots: int
    rows: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    readable_now: list[int] = field(default_factory=list)
    applied: Moves | None = None

    @property
    def agrees(self) -> bool:
        """Whether the rebuilt history is the live one, from the same snapshots."""
        return not (self.differences or self.unreadable or self.readable_now)


def compare(connection: Connection, verdict: Verdict, pairs: Iterator[Pair]) -> None:
    """Count the rebuilt rows of each table and tell the differences, in the verdict."""
    for name, live, rebuilt in pairs:
        verdict.rows[name] = connection.scalar(select(func.count()).select_from(rebuilt.subquery())) or 0
        difference = _difference(connection, name, live, rebuilt)
        if difference is not None:
            verdict.differences.append(difference)


def pairs(source: str, schema: str) -> Iterator[Pair]:
    """Each table of history, believed, with the rows that a schema has of the source in the table of that name."""
    for relation in HISTORY:
        columns = [*relation.stage.c.keys(), "valid_from", "valid_to"]
        believed = rows(relation.table, columns).where(
            relation.table.c.source == source, relation.table.c.known_to.is_(None)
        )
        yield relation.name, believed, _of_source(relation.name, columns, source, schema)
    for table in SET_ASIDE:
        columns = table.c.keys()
        live = rows(table, columns).where(table.c.source == source)
        rebuilt = _of_source(table.name, columns, source, schema)
        if table is quarantine:  # What was pruned cannot be compared.
            pruned = select(PRUNED_OF.c.snapshot_id).where(PRUNED_OF.c.source == source, PRUNED_OF.c.page == PRUNED)
            live, rebuilt = (each.where(column_of("snapshot_id").not_in(pruned)) for each in (live, rebuilt))
        yield table.name, live, rebuilt


def rows(table: FromClause, columns: list[str]) -> Select[Any]:
    """Some columns of a table."""
    return select(*(table.c[name] for name in columns))


def _of_source(name: str, columns: list[str], source: str, schema: str) -> Select[Any]:
    there = table_of(name, *map(column_of, {*columns, "source"}), schema=schema)
    return rows(there, columns).where(there.c.source == source)


def _difference(connection: Connection, table: str, live: Select[Any], rebuilt: Select[Any]) -> Difference | None:
    sides = {"live": live.except_(rebuilt).subquery(), "rebuilt": rebuilt.except_(live).subquery()}
    counts = {side: connection.scalar(select(func.count()).select_from(each)) or 0 for side, each in sides.items()}
    if not any(counts.values()):
        return None
    examples = [
        {"only": side} | dict(row)
        for side, each in sides.items()
        for row in connection.execute(select(each).order_by(literal_column("1")).limit(EXAMPLES)).mappings()
    ]
    return Difference(table=table, only_live=counts["live"], only_rebuilt=counts["rebuilt"], examples=examples)
