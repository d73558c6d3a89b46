"""By how much a price moved: never 100 % of what is left, never 0 %."""

from decimal import Decimal

import pytest

from etl.spoken import size


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("27000", "27", "÷1000"),
        ("27", "27000", "x1000"),
        ("10", "1.4", "86%"),
        ("10", "1", "÷10"),
        ("3", "2", "33.3%"),
        ("0.56", "0.28", "50%"),
        ("100000", "99997", "0.003%"),
        ("0.7499999999999999", "0.75", "<0.001%"),
        ("1", "9.996", "899.6%"),
        ("1", "12.5", "x12.5"),
    ],
)
def test_a_move_is_as_large_as_it_is(old: str, new: str, shown: str) -> None:
    assert size(Decimal(new) / Decimal(old)) == shown
