"""What a price was from moment to moment, as far as it was seen: pure, so that a test can say what it must be."""

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Sequence
from datetime import datetime
from enum import Enum
from typing import NamedTuple, TypeAlias, TypeVar

T = TypeVar("T")


class Silence(Enum):
    """Why there is no price to show."""

    ABSENT = "absent"
    """Snapshots showed that it is not published."""
    UNSEEN = "unseen"
    """No snapshot could show it."""


class Span(NamedTuple):
    """From a moment on to another, exclusive; null: to the end."""

    since: datetime
    until: datetime | None

    def holds(self, moment: datetime) -> bool:
        """Whether the moment lies in it."""
        return self.since <= moment and (self.until is None or moment < self.until)


class Version(NamedTuple):
    """What was quoted during a span; versions of one price do not overlap."""

    span: Span
    quoted: Hashable


Mark: TypeAlias = Hashable | Silence
"""What holds from a moment on: what was quoted, or why nothing is shown."""


def outline(
    versions: Sequence[Version], unseen: Iterable[Span], since: datetime, until: datetime
) -> list[tuple[datetime, Mark]]:
    """The moments in ``[since, until]`` from which on something else holds, in order; ``versions`` are in theirs.

    The ends of what is unseen were seen. So what was quoted for the first time when a silence began has a moment of
    its own before it, and what was quoted for the first time at ``until`` is there as well.
    """
    silences, spans = _joined(unseen), [each.span for each in versions]
    told: list[tuple[datetime, Mark]] = []
    for moment in _moments([*spans, *silences], since, until):
        version = _at(moment, versions, spans)
        silence = _at(moment, silences, silences) if moment < until else None
        marks: list[Mark] = []
        if silence is None or silence.since == moment:
            marks.append(version.quoted if version else Silence.ABSENT)
        if silence is not None:
            marks.append(Silence.UNSEEN)
        for mark in marks:
            if not told or told[-1][1] != mark:
                told.append((moment, mark))
    return told


def _joined(unseen: Iterable[Span]) -> list[Span]:
    """The same time in spans that do not overlap: between two that only touch something was seen."""
    joined: list[Span] = []
    for span in sorted(unseen, key=lambda each: each.since):
        last = joined[-1] if joined else None
        if last is None or (last.until is not None and last.until <= span.since):
            joined.append(span)
        elif last.until is not None:
            joined[-1] = Span(last.since, None if span.until is None else max(last.until, span.until))
    return joined


def _at(moment: datetime, things: Sequence[T], spans: Sequence[Span]) -> T | None:
    """The thing whose span the moment lies in; the spans are in order and do not overlap."""
    place = bisect_right(spans, moment, key=lambda span: span.since) - 1
    return things[place] if place >= 0 and spans[place].holds(moment) else None


def _moments(spans: Iterable[Span], since: datetime, until: datetime) -> list[datetime]:
    """Every moment at which something may change, and the first and the last."""
    bounds = {bound for span in spans for bound in span if bound is not None and since < bound < until}
    return sorted(bounds | {since, until})
