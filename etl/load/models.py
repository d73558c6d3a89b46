"""Looks up models by what people call them, and the history of their prices."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, text


class Listed(NamedTuple):
    """A model that a source ever listed, and the model that it is; null where that cannot be told.

    ``nearness`` tells how the name that was asked for meets it, the least being the nearest.
    """

    source: str
    model_id: str
    canonical_id: str | None
    nearness: int


_LISTED = """
SELECT m.source, m.model_id, l.canonical_id
  FROM (SELECT DISTINCT source, model_id FROM mart.model_version) m
  LEFT JOIN mart.model_link l ON l.source = m.source AND l.model_id = m.model_id
"""

_NAMED = text(
    f"""
    WITH listed AS ({_LISTED})
    SELECT source, model_id, canonical_id,
           CASE WHEN :name IN (model_id, canonical_id) THEN 1
                WHEN lower(:name) IN (lower(model_id), lower(canonical_id)) THEN 2
                WHEN lower(:name) = lower(substr(canonical_id, strpos(canonical_id, '/') + 1)) THEN 3
                ELSE 4 END AS nearness
      FROM listed
     WHERE lower(:name) IN (lower(model_id), lower(canonical_id),
                            lower(substr(canonical_id, strpos(canonical_id, '/') + 1)),
                            lower(regexp_replace(model_id, '^.*/', '')))
     ORDER BY source, model_id
    """  # noqa: S608  put together of two constants
)

_LINKED = text("SELECT source, model_id, canonical_id, 1 FROM mart.model_link WHERE canonical_id = :canonical_id")

_NAMES = text(
    f"""
    SELECT DISTINCT name
      FROM ({_LISTED}) m, LATERAL (VALUES (canonical_id), (model_id)) AS spelling(name)
     WHERE name IS NOT NULL
     ORDER BY name
    """  # noqa: S608  put together of two constants
)

_HISTORY = text(
    """
    SELECT * FROM mart.price_history
     WHERE (source, model_id) IN :models
     ORDER BY source, model_id, provider, region, plan, meter, tier_start, valid_from
    """
).bindparams(bindparam("models", expanding=True))

_LAST = text(
    "SELECT source, max(observed_at) AS last FROM mart.observation WHERE source = ANY(:sources) GROUP BY source"
)


def named(connection: Connection, name: str) -> list[Listed]:
    """The models that a name may mean: an id of a source, a canonical id, or either without what stands before it."""
    return [Listed(*row) for row in connection.execute(_NAMED, {"name": name})]


def linked(connection: Connection, canonical_id: str) -> list[Listed]:
    """The models of all sources that are the canonical one."""
    return [Listed(*row) for row in connection.execute(_LINKED, {"canonical_id": canonical_id})]


def names(connection: Connection) -> list[str]:
    """Every canonical id, and every id of a source."""
    return list(connection.scalars(_NAMES))


def history(connection: Connection, models: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """The rows of ``mart.price_history`` of the models, given as source and model_id; each offer in order of time."""
    return [dict(row) for row in connection.execute(_HISTORY, {"models": list(models)}).mappings()]


def last_observed(connection: Connection, sources: Sequence[str]) -> dict[str, datetime]:
    """When each of the sources was last seen."""
    return {row.source: row.last for row in connection.execute(_LAST, {"sources": list(sources)})}
