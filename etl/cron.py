"""When a source is due: a cron expression of five fields, in UTC, as every cron reads it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import takewhile

from cronsim import CronSim, CronSimError

_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}

_SOME_DAY = datetime(2000, 1, 1)  # noqa: DTZ001  only to read an expression


class Cron:
    """A schedule. Raises ``ValueError``, in one line, for what is none or never comes due.

    Days of the month and of the week are alternatives where both are given, 0 and 7 are Sunday, and names are
    understood, as Debian's cron has it. All moments are aware and in UTC.
    """

    def __init__(self, expression: str) -> None:
        self.expression = " ".join(expression.split())
        self._fields = _NICKNAMES.get(self.expression.lower(), self.expression)
        if len(self._fields.split()) != 5:
            raise ValueError('write five fields, minute hour day month weekday: "7 * * * *"')
        try:
            next(CronSim(self._fields, _SOME_DAY))
        except CronSimError as error:
            raise ValueError(f'{error}; write minute hour day month weekday: "7 * * * *"') from None
        except StopIteration:
            raise ValueError("no such day ever comes") from None

    def __repr__(self) -> str:
        return f"Cron({self.expression!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cron) and self._fields == other._fields

    def __hash__(self) -> int:
        return hash(self._fields)

    def following(self, moment: datetime) -> datetime:
        """The first due time after a moment."""
        return next(CronSim(self._fields, moment))

    def latest(self, moment: datetime) -> datetime:
        """The last due time that is not after a moment."""
        # Backwards, the moment itself would not count.
        return next(CronSim(self._fields, moment + timedelta(microseconds=1), reverse=True))

    def due(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Every due time after one moment and not after another."""
        return takewhile(lambda due: due <= until, CronSim(self._fields, after))
