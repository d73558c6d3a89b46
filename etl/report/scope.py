"""What a report is about: from when on, of which sources and which models."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from etl.errors import ConfigurationError
from etl.report import sql

USUAL = timedelta(days=90)
"""How far a report goes back from the last observation unless somebody says otherwise."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What somebody asked for; null and empty: as usual, and everything.

    ``models`` are ids with ``*`` and ``?``: a source's own, canonical ones, or these without their maker.
    """

    now: datetime
    since: datetime | None = None
    sources: Sequence[str] = ()
    models: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What is read: everything from ``since`` on of these sources, and of them these (source, model id); null: all.

    ``until`` is the last observation of them; null when there is none.
    """

    asked: Asked
    since: datetime
    until: datetime | None
    sources: tuple[str, ...]
    models: tuple[tuple[str, str], ...] | None

    @property
    def values(self) -> dict[str, Any]:
        """What the queries are told."""
        models = self.models or ()
        return {
            "since": self.since,
            "sources": list(self.sources),
            "has_all_sources": not self.asked.sources,
            "has_all_models": self.models is None,
            "owners": [source for source, _ in models],
            "models": [model_id for _, model_id in models],
        }


def scope(connection: Connection, asked: Asked) -> Scope:
    """What is meant. Raises ``ConfigurationError`` for a model that nobody lists or listed."""
    names = list(asked.sources) or list(connection.scalars(_SOURCES))
    until: datetime | None = connection.scalar(_LAST, {"sources": names})
    return Scope(
        asked=asked,
        since=asked.since or (until or asked.now) - USUAL,
        until=until,
        sources=tuple(names),
        models=_models(connection, asked, names) if asked.models else None,
    )


def _models(connection: Connection, asked: Asked, sources: list[str]) -> tuple[tuple[str, str], ...]:
    found: dict[tuple[str, str], None] = {}
    for name in asked.models:
        fitting = sql.rows(connection, "scope", {"sources": sources, "pattern": _like(name)})
        if not fitting:
            where = f" at {', '.join(asked.sources)}" if asked.sources else ""
            raise ConfigurationError(f"no model is called {name}{where}: write an id, with * for any part of it")
        found |= dict.fromkeys((row["source"], row["model_id"]) for row in fitting)
    return tuple(found)


def _like(name: str) -> str:
    """A pattern with ``*`` and ``?`` as SQL has it."""
    for special in "\\%_":
        name = name.replace(special, f"\\{special}")
    return name.replace("*", "%").replace("?", "_")


_SOURCES = text("SELECT source FROM mart.source ORDER BY source")

_LAST = text("SELECT max(observed_at) FROM mart.observation WHERE source = ANY (:sources) AND observed_at <= now()")
