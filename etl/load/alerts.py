"""The problems that sources have now, and the alerts: which of them somebody was told of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, text, update

from etl.load.alert_tables import alert
from etl.load.tables import source

_HOLDING = text(
    """
    WITH health AS (
        SELECT h.source, h.consecutive_failures, h.last_complete_at, s.max_age, h.last_error, s.scheduled_from
          FROM mart.source_health h JOIN core.source s ON s.source = h.source
         WHERE h.enabled
    )
    SELECT source, 'failing' AS problem, consecutive_failures AS count, last_error AS example
      FROM health WHERE consecutive_failures >= :failures
    UNION ALL
    SELECT source, 'stale', 1,
           coalesce('the last complete snapshot is of ' || to_char(last_complete_at, 'YYYY-MM-DD HH24:MI"Z"'),
                    'there is no complete snapshot, and it is scheduled since '
                    || to_char(scheduled_from, 'YYYY-MM-DD HH24:MI"Z"'))
      FROM health WHERE coalesce(last_complete_at, scheduled_from) < CAST(:now AS timestamptz) - max_age
    UNION ALL
    SELECT q.source, q.problem, q.count, left(q.example, 500)
      FROM mart.data_quality q JOIN health h ON h.source = q.source
     ORDER BY source, problem
    """
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Something that is wrong with a source now: how many times, and the first of them in words."""

    source: str
    problem: str
    count: int
    example: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Alert:
    """A problem that was found and has not ended; ``told_at`` null: there was nobody to tell of it.

    ``found`` is the problem as it was told last, with the most that were counted.
    """

    alert_id: int
    found: Problem
    opened_at: datetime
    told_at: datetime | None
    is_enabled: bool


def holding(connection: Connection, *, failures: int, now: datetime) -> list[Problem]:
    """What is wrong with the enabled sources; one that failed fewer times than ``failures`` is not failing yet."""
    rows = connection.execute(_HOLDING, {"failures": failures, "now": now})
    return [_problem(row) for row in rows.mappings()]


def unresolved(connection: Connection) -> list[Alert]:
    """The open alerts."""
    columns = (alert.c.alert_id, alert.c.opened_at, alert.c.told_at, source.c.enabled.label("is_enabled"))
    query = select(*columns, alert.c.source, alert.c.problem, alert.c.count, alert.c.example)
    query = query.join(source, source.c.source == alert.c.source).where(alert.c.resolved_at.is_(None))
    rows = connection.execute(query.order_by(alert.c.alert_id)).mappings()
    return [Alert(found=_problem(row), **{column.name: row[column.name] for column in columns}) for row in rows]


def open_alert(connection: Connection, problem: Problem, *, now: datetime, told_at: datetime | None) -> None:
    """Keep that a source has a problem; ``told_at`` null: there was nobody to tell."""
    connection.execute(
        insert(alert).values(
            source=problem.source,
            problem=problem.problem,
            opened_at=now,
            count=problem.count,
            example=problem.example,
            told_at=told_at,
        )
    )


def update_alert(connection: Connection, alert_id: int, **values: Any) -> None:
    """Keep what else is to be said of an alert."""
    connection.execute(update(alert).where(alert.c.alert_id == alert_id).values(values))


def _problem(row: RowMapping) -> Problem:
    return Problem(source=row["source"], problem=row["problem"], count=row["count"], example=row["example"])
