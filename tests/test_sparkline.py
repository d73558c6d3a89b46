"""A price over time in one line: as wide as asked for, as high as it is dear, blank where there is none."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.sparkline import BLOCKS, DIGITS, Stretch, height, sparkline

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
LAST = FIRST + timedelta(days=8)

amounts = st.decimals(min_value=0, max_value=10**6, allow_nan=False, allow_infinity=False, places=30)


def day(number: float) -> datetime:
    return FIRST + timedelta(days=number)


def line(*stretches: Stretch, highest: str = "8", width: int = 8) -> str:
    return sparkline(stretches, FIRST, LAST, highest=Decimal(highest), width=width, marks=DIGITS)


@st.composite
def histories(draw: st.DrawFn) -> list[Stretch]:
    """Versions that follow one another, some with a gap between them; the last one may be open."""
    bounds = sorted(draw(st.sets(st.integers(0, 500), min_size=2, max_size=12)))
    held = [Stretch(day(a / 50), day(b / 50), draw(st.none() | amounts)) for a, b in pairwise(bounds)]
    kept = [each for each in held if draw(st.integers(0, 3))]
    is_open = draw(st.integers(0, 1))
    return [*kept[:-1], kept[-1]._replace(end=None)] if kept and is_open else kept


@given(history=histories(), width=st.integers(1, 90))
def test_each_character_shows_what_held_at_the_end_of_its_time_or_came_and_went_within_it(
    history: list[Stretch], width: int
) -> None:
    highest = max((each.amount for each in history if each.amount is not None), default=Decimal(0))
    drawn = sparkline(history, FIRST, LAST, highest=highest, width=width)
    assert len(drawn) == width
    for place, character in enumerate(drawn, 1):
        moment = FIRST + (LAST - FIRST) * place // width
        held = [each for each in history if each.begin <= moment and (each.end is None or moment < each.end)]
        since = FIRST + (LAST - FIRST) * (place - 1) // width - (datetime.resolution if place == 1 else timedelta(0))
        # Nothing holds at the end: then the last that began and ended within the character's time.
        held = held or [each for each in history if since < each.begin <= moment][-1:]
        if not held:
            assert character == BLOCKS.nothing
        elif held[0].amount is None:
            assert character == BLOCKS.varies
        else:
            assert (character == BLOCKS.levels[0]) == (held[0].amount == 0)
            assert (character == BLOCKS.levels[-1]) >= (held[0].amount == highest > 0)


@given(one=amounts, other=amounts, above=amounts, levels=st.integers(2, 9))
def test_the_dearer_never_stands_lower(one: Decimal, other: Decimal, above: Decimal, levels: int) -> None:
    highest = max(one, other, above)
    low, high = sorted((one, other))
    assert 0 <= height(low, highest, levels) <= height(high, highest, levels) < levels
    assert (height(one, highest, levels) == 0) == (one == 0)
    assert height(highest, highest, levels) == (levels - 1 if highest else 0)


def test_heights_are_exact_where_a_double_is_not() -> None:
    seventh = Decimal("0.1000000000000000000000000000000000000001")
    assert height(seventh, 7 * Decimal("0.1"), 8) == 2
    assert height(Decimal("0.1"), Decimal("0.7"), 8) == 1


def test_time_is_in_proportion() -> None:
    assert line(Stretch(day(0), day(6), Decimal(8)), Stretch(day(6), None, Decimal(4))) == "77777444"


def test_a_time_without_a_price_is_blank() -> None:
    assert line(Stretch(day(2), day(4), Decimal(8)), Stretch(day(6), day(8), Decimal(8))) == " 77  77 "


def test_a_price_of_an_hour_is_seen() -> None:
    assert line(Stretch(day(2.1), day(2.2), Decimal(8)), Stretch(day(7), None, Decimal(8))) == "  7   77"


def test_free_is_the_lowest_and_the_cheapest_price_is_above_it() -> None:
    assert line(Stretch(day(0), day(4), Decimal(0)), Stretch(day(4), None, Decimal("0.001"))) == "00011111"


def test_what_varies_has_a_sign_of_its_own() -> None:
    assert line(Stretch(day(0), day(4), None), Stretch(day(4), None, Decimal(8))) == "~~~77777"


@pytest.mark.parametrize(("amount", "drawn"), [("8", "7777"), ("0", "0000")])
def test_what_never_changes_is_one_height(amount: str, drawn: str) -> None:
    assert line(Stretch(FIRST, None, Decimal(amount)), highest=amount, width=4) == drawn


def test_a_single_moment_is_a_line_all_the_same() -> None:
    only = [Stretch(FIRST, None, Decimal(1))]
    assert sparkline(only, FIRST, FIRST, highest=Decimal(1), width=3) == "███"


def test_nothing_at_all_is_blank() -> None:
    assert line(width=3) == "   "
