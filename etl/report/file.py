"""A report in a file: whole or not at all, and made anew when it is due."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from etl.cron import Cron
from etl.errors import EtlError, ReportError, in_short
from etl.files import atomic
from etl.report.facts import read
from etl.report.page import page
from etl.report.scope import Asked

NAME = "report.html"

PAUSE = timedelta(minutes=10)
"""Time until a report that could not be made is tried again."""

_EVER = datetime.min.replace(tzinfo=UTC)


def write(path: Path, text: str) -> int:
    """Put a text into the place of a file at once; gives its bytes. Raises ``ReportError``; what was there stays."""
    content = text.encode()
    try:
        atomic.write(path, [content])
    except OSError as error:
        raise ReportError(f"{path} cannot be written: {error.strerror}; what was there is as it was") from None
    return len(content)


@dataclass
class Keeper:
    """Keeps a report in a folder, not older than the last due time of a schedule."""

    folder: Path
    schedule: Cron
    engine: Engine
    clock: Callable[[], datetime]
    _not_before: datetime = _EVER

    def keep(self) -> None:
        """Make the report if it is due; a failure is logged, and tried again after a while."""
        now = self.clock()
        if now < self._not_before or not self._is_due(now):
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            size = write(self.folder / NAME, page(read(self.engine, Asked(now=now))))
        except (DBAPIError, EtlError, OSError) as error:
            self._not_before = now + PAUSE
            structlog.get_logger().warning("no report was made", folder=str(self.folder), because=in_short(error))
            return
        structlog.get_logger().info("report made", file=str(self.folder / NAME), bytes=size)

    def _is_due(self, now: datetime) -> bool:
        try:
            made = datetime.fromtimestamp((self.folder / NAME).stat().st_mtime, UTC)
        except OSError:
            return True
        # A file from the future, by a clock that was ahead, would else stay for as long as that was wrong.
        return made < self.schedule.latest(now) or made > now + PAUSE
