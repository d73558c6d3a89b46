"""Rates and margins in the configuration: exact, dated, each with its origin; what is wrong is one line."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from etl import config
from etl.config import Settings
from etl.errors import ConfigurationError

EUR = '[[rates]]\ncurrency = "EUR"\norigin = "ECB reference rate"\n'
MARGIN = '[[margins]]\nkind = "majestix"\norigin = "an invoice"\n'


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def settings(toml: str) -> Settings:
    Path("etl.toml").write_text(toml)
    return config.load(None)


def fault(toml: str) -> str:
    """The one line that a wrong file ends in."""
    with pytest.raises(ConfigurationError) as caught:
        settings(toml)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_rate_has_a_currency_an_amount_a_moment_and_an_origin() -> None:
    [rate] = settings(EUR + 'usd = "1.08"\nvalid_from = 2026-01-01').rates
    assert (rate.currency, rate.usd, rate.origin) == ("EUR", Decimal("1.08"), "ECB reference rate")
    assert rate.valid_from == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_margin_has_a_kind_a_factor_and_an_origin_and_always_held_unless_it_says_since_when() -> None:
    [margin] = settings(MARGIN + "factor = 1.4").margins
    assert (margin.kind, margin.factor, margin.valid_from, margin.origin) == (
        "majestix",
        Decimal("1.4"),
        None,
        "an invoice",
    )


@pytest.mark.parametrize(
    ("written", "exact"),
    [
        ("1.08", "1.08"),
        ('"1.08"', "1.08"),
        ("1", "1"),
        ("0.12345678901234567890123456789", "0.12345678901234567890123456789"),
        ("1.000000000000000000001", "1.000000000000000000001"),
    ],
)
def test_an_amount_is_exact_however_it_is_written(written: str, exact: str) -> None:
    [rate] = settings(EUR + f"usd = {written}").rates
    assert str(rate.usd) == exact


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00+02:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-01-31T12:00:00", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ('"2026-01-31"', datetime(2026, 1, 31, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_date_or_a_time_of_utc_unless_it_says_otherwise(written: str, moment: datetime) -> None:
    [rate] = settings(EUR + f"usd = 1\nvalid_from = {written}").rates
    assert rate.valid_from == moment


def test_numbers_elsewhere_in_the_file_are_read_as_before() -> None:
    found = settings('doubt_share = 0.25\n[sources.bifrost]\ntimeout_seconds = 1.5\nmax_age = "1.5h"')
    assert (found.doubt_share, found.sources["bifrost"].timeout_seconds) == (0.25, 1.5)


@pytest.mark.parametrize(
    ("toml", "line"),
    [
        (EUR + "usd = 0", "rates.1.usd: Input should be greater than 0"),
        (EUR + 'usd = "-1"', "rates.1.usd: Input should be greater than 0"),
        (EUR + "usd = inf", "rates.1.usd: Decimal('Infinity') is not finite"),
        (EUR + "usd = nan", "rates.1.usd: Decimal('NaN') is not finite"),
        (EUR + "usd = true", "rates.1.usd: True is not a number: write it like"),
        (EUR + 'usd = "much"', "rates.1.usd: 'much' is not a number: write it like"),
        (EUR + "usd = 1e400", "rates.1.usd: Decimal('1E+400') is absurd"),
        (EUR + "usd = 1e99999999999999999999", "no valid TOML: a number in it is beyond all bounds"),
        (EUR, "rates.1.usd: Field required"),
        (EUR + "usd = 1\nvalid_from = 20260131", "rates.1.valid_from: Write a date or a time, UTC: 2026-01-31"),
        (EUR + 'usd = 1\nvalid_from = "soon"', "rates.1.valid_from: Write a date or a time, UTC: 2026-01-31"),
        (EUR + "usd = 1\nvalid_from = 12:00:00", "rates.1.valid_from: Write a date or a time, UTC: 2026-01-31"),
        (EUR + "usd = 1\nvalidfrom = 2026-01-31", "unknown key rates.1.validfrom; did you mean valid_from?"),
        (EUR + "usd = 1\nx = 1", "unknown key rates.1.x; known keys: currency, origin, usd, valid_from"),
        (EUR.replace("EUR", "USD") + "usd = 1", "rates.1.currency: Rates are in US dollars: take this entry out"),
        (EUR.replace("EUR", "eur") + "usd = 1", "rates.1.currency: Write the currency in upper-case letters"),
        (EUR.replace("EUR", "") + "usd = 1", "rates.1.currency: Write the currency in upper-case letters"),
        (EUR.replace("ECB reference rate", " ") + "usd = 1", "rates.1.origin: String should have at least 1"),
        ('[[rates]]\ncurrency = "EUR"\nusd = 1', "rates.1.origin: Field required"),
        ('[rates]\ncurrency = "EUR"', "rates: Begin each entry with the name in double brackets"),
        (EUR + "usd = 1\n" + EUR + "usd = 0", "rates.2.usd: Input should be greater than 0"),
        (EUR + "usd = 1\n" + EUR + "usd = 2", "rates: numbers 1 and 2 have the same currency and valid_from"),
        (MARGIN + "factor = 0", "margins.1.factor: Input should be greater than 0"),
        (
            MARGIN.replace("majestix", "majestic") + "factor = 1",
            "margins.1.kind: unknown kind majestic; known kinds: bi",
        ),
        (MARGIN + "factor = 1\n" + MARGIN + "factor = 2", "margins: numbers 1 and 2 have the same kind and valid_from"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(toml: str, line: str) -> None:
    assert fault(toml).startswith(f"etl.toml: {line}")


def test_one_moment_spelled_in_two_ways_is_one() -> None:
    spellings = ("2026-01-31", "2026-01-31T01:00:00+01:00")
    toml = "".join(f"{EUR}usd = 1\nvalid_from = {spelling}\n" for spelling in spellings)
    assert "numbers 1 and 2 have the same currency" in fault(toml)


def test_one_currency_has_several_rates_and_one_moment_several_currencies() -> None:
    toml = f'{EUR}usd = 1\n{EUR}usd = 2\nvalid_from = 2026-01-31\n{EUR.replace("EUR", "GBP")}usd = "1.3"'
    assert [rate.currency for rate in settings(toml).rates] == ["EUR", "EUR", "GBP"]


def test_rates_of_the_environment_are_exact_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETL_RATES", '[{"currency": "EUR", "usd": "1.08", "origin": "o"}]')
    assert settings("").rates[0].usd == Decimal("1.08")
    monkeypatch.setenv("ETL_RATES", '[{"currency": "EUR", "usd": 1.08, "origin": "o"}]')
    assert fault("") == "environment: ETL_RATES: rates.1.usd: Write it in quotation marks, so that it stays exact"
