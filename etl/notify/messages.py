"""What is said: each message as JSON with every fact, and its one text, which is also what Slack is given."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from etl.load.alerts import Problem
from etl.spoken import sentence

_SAID: Mapping[str, tuple[str, str, str]] = {
    "failing": ("1 run failed", "{} runs in a row failed", "its runs succeed again"),
    "stale": ("stale", "stale", "fresh again"),
    "held": ("1 snapshot is held", "{} snapshots are held", "nothing is held any more"),
    "set_aside": (
        "1 snapshot was set aside",
        "{} snapshots were set aside",
        "no snapshot is set aside any more",
    ),
    "quarantined": ("1 record cannot be read", "{} records cannot be read", "every record can be read again"),
    "unmapped": ("1 price field has no meter", "{} price fields have no meter", "every price field has a meter again"),
    "suspect": (
        "1 price looks like a mistake",
        "{} prices look like mistakes",
        "no price looks like a mistake any more",
    ),
}
"""For each problem what is said of one, of several, and of its end."""

_AGAIN = {"opened": "", "worsened": "worse now: ", "repeated": "still: "}


def alert(kind: str, found: Problem, *, since: datetime, now: datetime) -> dict[str, Any]:
    """The message that a problem is there (``opened``), has grown (``worsened``) or is there still (``repeated``)."""
    said = _SAID[found.problem][found.count > 1].format(found.count)
    example = f": {found.example}" if found.example else ""
    return _facts(kind, found, since, now) | {"text": f"{found.source}: {_AGAIN[kind]}{said}{example}"}


def recovery(found: Problem, *, since: datetime, now: datetime) -> dict[str, Any]:
    """The message that a problem is gone."""
    text = f"{found.source}: {_SAID[found.problem][2]}, after {lasting(now - since)}"
    facts = _facts("resolved", found, since, now)
    return facts | {"text": text, "lasted_seconds": max(0, int((now - since).total_seconds()))}


def price_change(
    watch: str, told: list[dict[str, Any]], *, count: int, cursors: tuple[int, int], now: datetime
) -> dict[str, Any]:
    """The message of a watch: ``told`` are the first of ``count`` changes, between two positions of the feed."""
    after, upto = cursors
    more = count - len(told)
    lines = [f"{watch}: {count} price change{'s' if count > 1 else ''}", *(f"- {sentence(row)}" for row in told)]
    if more:
        lines.append(f"and {more} more: etl changes --since c{after} --until c{upto}")
    return {
        "kind": "price_change",
        "watch": watch,
        "text": "\n".join(lines),
        "count": count,
        "more": more,
        "after": after,
        "cursor": upto,
        "changes": [{name: _plain(value) for name, value in row.items()} for row in told],
        "told_at": stamp(now),
    }


def slack(text: str) -> bytes:
    """The body that Slack takes; nothing in the text is a command of its markup."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return msgspec.json.encode({"text": safe})


def lasting(age: timedelta) -> str:
    """A length of time in its two largest units."""
    seconds = max(0, int(age.total_seconds()))
    units = {"d": seconds // 86400, "h": seconds // 3600 % 24, "min": seconds // 60 % 60, "s": seconds % 60}
    return " ".join(_largest(f"{number} {unit}" if number else "" for unit, number in units.items())) or "0 s"


def stamp(moment: datetime) -> str:
    """A moment as messages write it: ISO 8601, UTC."""
    return moment.astimezone(UTC).isoformat()


def _facts(kind: str, found: Problem, since: datetime, now: datetime) -> dict[str, Any]:
    return {
        "kind": kind,
        "problem": found.problem,
        "source": found.source,
        "count": found.count,
        "example": found.example,
        "since": stamp(since),
        "told_at": stamp(now),
    }


def _largest(parts: Iterable[str]) -> list[str]:
    """The first part that says something, and the one after it if that does, too."""
    found = list(parts)
    first = next((place for place, part in enumerate(found) if part), len(found))
    return [part for part in found[first : first + 2] if part]


def _plain(value: Any) -> Any:
    return stamp(value) if isinstance(value, datetime) else value
