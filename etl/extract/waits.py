"""What a gateway says about time: ``Retry-After`` in both of its forms, and which time it has itself."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait, at least 0; null when the (lower-case) headers do not say.

    A date is measured against the server's own ``Date`` where it sends one, because clocks disagree.
    """
    value = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    if (until := _date(value)) is None:
        return None
    return max(0.0, (until - (_date(headers.get("date", "")) or now)).total_seconds())


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """The server's time when it replied, to the second; null when the (lower-case) headers do not say.

    What a cache kept for a while carries the ``Date`` of then, and its ``Age``.
    """
    date, age = _date(headers.get("date", "")), headers.get("age", "").strip()
    return date + timedelta(seconds=float(age)) if date and _SECONDS.fullmatch(age) else date


def _date(text: str) -> datetime | None:
    """An HTTP date, aware; null for anything else."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
