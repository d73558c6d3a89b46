"""Amounts, effects and texts of gateways as a page says them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from etl import spoken
from etl.domain.meters import Meter
from etl.report import words


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        ("0.5", "\N{MINUS SIGN}50 %"),
        ("1.2", "+20 %"),
        ("0.333333", "\N{MINUS SIGN}66.7 %"),
        ("1.0384615", "+3.8 %"),
        ("1", "0 %"),
        ("1.00000000000000004", "≈ 0 %"),
        ("0.99877", "\N{MINUS SIGN}0.123 %"),
        ("10", "× 10"),
        ("10000", "× 10000"),
        ("0.1", "÷ 10"),
        ("0.0000123", "÷ 81300"),
        ("12.5", "× 12.5"),
    ],
)
def test_an_effect_is_a_percentage_and_beyond_that_a_factor(ratio: str, said: str) -> None:
    assert words.effect(Decimal(ratio)) == said


def test_an_effect_without_a_factor_is_not_invented() -> None:
    assert words.effect(None) == ""


def test_an_amount_keeps_every_digit_and_has_no_exponent() -> None:
    row = {"meter": "input_token", "unit_price": Decimal("1.2345678901234567890E-9"), "price_state": "priced"}
    assert words.price(row, "") == "0.001234567890123456789"
    assert words.number(Decimal("1E+3")) == "1000"


def test_what_has_no_amount_is_told_by_its_state_and_free_is_an_amount() -> None:
    row = {"meter": "request", "old_unit_price": None, "old_state": "dynamic"}
    assert words.price(row, "old_") == "dynamic"
    assert words.price(row | {"old_state": None}, "old_") == "none"
    assert words.price(row | {"old_state": "free", "old_unit_price": Decimal(0)}, "old_") == "0"


@pytest.mark.parametrize("meter", list(Meter))
def test_every_meter_has_a_unit(meter: Meter) -> None:
    assert spoken.unit(meter) != "unit"


def test_a_meter_is_told_with_its_tier_and_its_plan() -> None:
    row = {"meter": "cache_read_token", "tier_start": 200000, "plan": "batch"}
    assert words.meter(row) == "cache read from 200,000 tokens (batch)"


def test_a_text_of_a_gateway_is_bounded_and_turns_nothing_around() -> None:
    assert words.shortened("gpt\u202e4o\x1b[31m") == "gpt\ufffd4o\ufffd[31m"
    assert len(words.shortened("x" * 10_000)) == words.LONGEST


def test_an_id_may_be_broken_behind_its_own_signs_and_is_escaped() -> None:
    assert words.cell("a_b/<i>&'c:") == "a_<wbr>b/<wbr>&lt;i&gt;&amp;&#39;c:"


def test_moments_and_spans_are_in_utc_and_in_the_largest_unit() -> None:
    assert words.at(int(datetime(2026, 1, 5, 10, 20, tzinfo=UTC).timestamp())) == "2026-01-05 10:20"
    assert [words.span(n) for n in (30, 90, 10_800, 200_000)] == ["30 s", "1 min", "3 h", "2 d"]


def test_a_point_of_a_history_says_its_currency_and_dollars() -> None:
    assert words.told([0, "0.5"]) == "0.5 USD"
    assert words.told([0, "0"]) == "0 USD (free)"
    assert words.told([0, "unseen"]) == "not observed"
    assert (words.told([0, "784", "CREDIT", "0.784"]), words.dollars([0, "784", "CREDIT", "0.784"])) == (
        "784 CREDIT",
        "0.784 USD",
    )
    assert words.dollars([0, "0.9", "EUR", None]) == "no rate"
