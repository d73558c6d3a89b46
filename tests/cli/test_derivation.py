"""The one line of arithmetic that leads from quoted text to a price."""

from datetime import UTC, datetime

import pytest

from etl.cli.derivation import equation
from etl.domain.evidence import AS_QUOTED, TO_A_DOUBLE, TO_NINE_DECIMALS, Citation, Evidence, Rounding, price_of
from etl.domain.meters import Meter
from etl.domain.snapshot import Page
from etl.explanation import Derivation, Figure

PAGE = Page(number=1, url="p", status=200, body=b"", fetched_at=datetime(2026, 1, 1, tzinfo=UTC))
INPUT, CACHED = Meter.INPUT_TOKEN, Meter.CACHE_READ_TOKEN
X = "\N{MULTIPLICATION SIGN}"


def derive(*cited: tuple[str, Meter, int], per: int | Figure = 1, rounding: Rounding = AS_QUOTED) -> Derivation:
    figures = tuple(
        Figure(pointer=f"/{index}", text=text, meter=meter, tier_start=tier)
        for index, (text, meter, tier) in enumerate(cited)
    )
    citations = tuple(Citation(f"/{index}", meter, tier) for index, (_, meter, tier) in enumerate(cited))
    units = per.value if isinstance(per, Figure) else per
    return Derivation(
        page=PAGE,
        figures=figures,
        per=per,
        evidence=Evidence(1, citations, per.pointer if isinstance(per, Figure) else per, rounding),
        quote=price_of([figure.value for figure in figures], per=units, rounding=rounding),
        currency="USD",
    )


def size(text: str) -> Figure:
    return Figure(pointer="/unit_size", text=text)


@pytest.mark.parametrize(
    ("derivation", "line"),
    [
        (derive(('" 0.50 "', INPUT, 0)), "0.50 = 0.5 USD per input_token"),
        (derive(('"\\u0035e-1"', INPUT, 0)), "5e-1 = 0.5 USD per input_token"),
        (derive(("2.5", INPUT, 0), per=1_000_000), "2.5 ÷ 1000000 = 0.0000025 USD per input_token"),
        (derive(("2.5", INPUT, 0), per=size('"1e3"')), "2.5 ÷ 1000 = 0.0025 USD per input_token"),
        (derive(("2.5", INPUT, 0), per=size("1")), "2.5 = 2.5 USD per input_token"),
        (derive(("1", INPUT, 0), per=size("3")), "1 ÷ 3 ≈ 0.3333333333333333333333333333 USD per input_token"),
        (
            derive(("4.199999999999999", INPUT, 0), per=1000, rounding=TO_NINE_DECIMALS),
            "4.199999999999999 rounded to 9 decimals ÷ 1000 = 0.0042 USD per input_token",
        ),
        (derive(("4.2", INPUT, 0), per=1000, rounding=TO_NINE_DECIMALS), "4.2 ÷ 1000 = 0.0042 USD per input_token"),
        (
            derive(('"0.30000000000000004"', INPUT, 0), rounding=TO_A_DOUBLE),
            "0.30000000000000004 rounded to 15 significant digits = 0.3 USD per input_token",
        ),
    ],
)
def test_figures_stand_as_they_are_spelled_and_the_price_plainly(derivation: Derivation, line: str) -> None:
    assert equation(derivation, INPUT, 0) == line


@pytest.mark.parametrize(
    ("price_tier", "multiplier_tier", "tier", "notes"),
    [
        (0, 0, 0, "multiplier of input_token"),
        (200, 200, 200, "multiplier of input_token of tier 200"),
        (200, 0, 200, "multiplier of input_token of tier 200; multiplier inherited from tier 0"),
        (0, 200, 200, "multiplier of input_token; input_token inherited from tier 0"),
        (100, 200, 200, "multiplier of input_token of tier 100; input_token inherited from tier 100"),
    ],
)
def test_what_is_multiplied_or_inherited_is_said(price_tier: int, multiplier_tier: int, tier: int, notes: str) -> None:
    derivation = derive(("0.00000125", INPUT, price_tier), ("0.1", CACHED, multiplier_tier))
    line = f"0.00000125 {X} 0.1 = 0.000000125 USD per cache_read_token ({notes})"
    assert equation(derivation, CACHED, tier) == line


def test_a_price_of_a_lower_tier_is_inherited() -> None:
    line = "1 = 1 USD per input_token (price inherited from tier 0)"
    assert equation(derive(("1", INPUT, 0)), INPUT, 200) == line
