"""A cron expression means what every cron makes of it, in UTC."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.cron import Cron

FRIDAY = datetime(2026, 11, 20, 14, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("expression", "following"),
    [
        ("7 * * * *", datetime(2026, 11, 20, 15, 7, tzinfo=UTC)),
        ("*/5 * * * *", datetime(2026, 11, 20, 14, 10, tzinfo=UTC)),
        ("0 0 * * 1", datetime(2026, 11, 23, tzinfo=UTC)),
        ("0 0 * * 0", datetime(2026, 11, 22, tzinfo=UTC)),
        ("0 0 * * 7", datetime(2026, 11, 22, tzinfo=UTC)),
        ("0 0 * * mon-fri", datetime(2026, 11, 23, tzinfo=UTC)),
        ("0 0 25 * 1", datetime(2026, 11, 23, tzinfo=UTC)),
        ("0 3 29 2 *", datetime(2028, 2, 29, 3, tzinfo=UTC)),
        ("@daily", datetime(2026, 11, 21, tzinfo=UTC)),
        ("30 2 29 3 *", datetime(2027, 3, 29, 2, 30, tzinfo=UTC)),
    ],
)
def test_the_next_due_time_is_that_of_every_cron(expression: str, following: datetime) -> None:
    assert Cron(expression).following(FRIDAY) == following


@pytest.mark.parametrize(
    "expression", ["", "hourly", "* * * *", "* * * * * *", "61 * * * *", "0 0 30 2 *", "0 0 * * 8"]
)
def test_what_is_no_schedule_is_refused_in_one_line(expression: str) -> None:
    with pytest.raises(ValueError, match=r"write .*minute hour day month weekday"):
        Cron(expression)


def minutes_of(field: str, highest: int) -> set[int]:
    """What a field allows, read as simply as can be."""
    if field.startswith("*"):
        return set(range(0, highest, int(field[2:] or 1) if field != "*" else 1))
    return {int(number) for number in field.split(",")}


@given(
    minute=st.sampled_from(["*", "*/7", "*/30", "0", "5,50"]),
    hour=st.sampled_from(["*", "*/6", "0", "3,23"]),
    offset=st.timedeltas(min_value=timedelta(), max_value=timedelta(days=400)),
)
def test_due_times_are_those_minutes_that_the_fields_allow(minute: str, hour: str, offset: timedelta) -> None:
    cron, start = Cron(f"{minute} {hour} * * *"), FRIDAY + offset
    whole = start.replace(second=0, microsecond=0)
    allowed = [
        each
        for each in (whole + MINUTE * count for count in range(-1500, 1501))
        if each.minute in minutes_of(minute, 60) and each.hour in minutes_of(hour, 24)
    ]
    assert cron.latest(start) == max(each for each in allowed if each <= start)
    assert cron.following(start) == min(each for each in allowed if each > start)
    assert list(cron.due(start - MINUTE * 700, start + MINUTE * 700)) == [
        each for each in allowed if start - MINUTE * 700 < each <= start + MINUTE * 700
    ]
