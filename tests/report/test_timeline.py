"""What a price was from moment to moment is what looking at each moment by itself says."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from etl.report.timeline import Mark, Silence, Span, Version, outline

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 12


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def span(since: int, until: int | None) -> Span:
    return Span(day(since), None if until is None else day(until))


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Version], list[Span]]:
    """Versions that do not overlap, some of them touching, and silences that may."""
    bounds = draw(st.lists(st.integers(0, DAYS), unique=True, max_size=8).map(sorted))
    versions = [
        Version(span(since, until), draw(st.sampled_from("ab")))
        for since, until in zip(bounds, [*bounds[1:], None], strict=False)
        if draw(st.booleans())
    ]
    pairs = st.tuples(st.integers(0, DAYS), st.integers(1, DAYS))
    silences = [span(since, since + length) for since, length in draw(st.lists(pairs, max_size=4))]
    return versions, silences


def at(told: list[tuple[datetime, Mark]], moment: datetime) -> Mark:
    """What an outline says of a moment."""
    return [mark for since, mark in told if since <= moment][-1]


@given(history=histories(), since=st.integers(0, 4), length=st.integers(0, 8))
def test_between_its_bounds_an_outline_says_of_each_moment_what_holds_then(
    history: tuple[list[Version], list[Span]], since: int, length: int
) -> None:
    versions, silences = history
    until = since + length
    told = outline(versions, silences, day(since), day(until))
    for half in range(2 * since, 2 * until):
        moment = START + timedelta(hours=12 * half + 6)  # Never a bound.
        quoted = [version.quoted for version in versions if version.span.holds(moment)]
        is_silent = any(silence.holds(moment) for silence in silences)
        expected = Silence.UNSEEN if is_silent else quoted[0] if quoted else Silence.ABSENT
        assert at(told, moment) == expected


@given(history=histories(), until=st.integers(0, DAYS))
def test_an_outline_is_in_order_repeats_nothing_and_ends_with_what_was_seen_last(
    history: tuple[list[Version], list[Span]], until: int
) -> None:
    versions, silences = history
    told = outline(versions, silences, day(0), day(until))
    moments = [since for since, _ in told]
    assert moments == sorted(moments)
    assert (moments[0], moments[-1] <= day(until)) == (day(0), True)
    assert all(one != other for (_, one), (_, other) in pairwise(told))
    quoted = [version.quoted for version in versions if version.span.holds(day(until))]
    assert told[-1][1] == (quoted[0] if quoted else Silence.ABSENT)


def test_what_was_quoted_first_when_a_silence_began_is_told_before_it() -> None:
    told = outline([Version(span(2, None), "a")], [span(2, 5)], day(0), day(9))
    assert told == [(day(0), Silence.ABSENT), (day(2), "a"), (day(2), Silence.UNSEEN), (day(5), "a")]


def test_between_two_silences_that_touch_the_price_was_seen() -> None:
    told = outline([Version(span(0, None), "a")], [span(1, 3), span(3, 5)], day(0), day(9))
    assert [(moment, mark) for moment, mark in told if moment == day(3)] == [(day(3), "a"), (day(3), Silence.UNSEEN)]


def test_a_silence_of_the_source_within_one_of_the_price_shows_nothing() -> None:
    told = outline([Version(span(0, None), "a")], [span(1, 6), span(3, 5)], day(0), day(9))
    assert told == [(day(0), "a"), (day(1), Silence.UNSEEN), (day(6), "a")]


def test_a_price_that_the_last_snapshot_brought_is_there() -> None:
    told = outline([Version(span(0, 4), "a"), Version(span(4, None), "b")], [], day(0), day(4))
    assert told == [(day(0), "a"), (day(4), "b")]
