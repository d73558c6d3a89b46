"""What one usage costs: tiers, what the cache takes out of the input, exact amounts, both clocks."""

from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

from etl.domain.meters import Meter
from tests.mart.tariff import DAY, FIRST, add, ask, costs, store, tariff
from tests.oracle.cost import WHOLES, Line


@pytest.mark.parametrize("bound", [128_000, 200_000, 200_001, 272_000])
def test_a_tier_begins_at_its_bound_and_prices_the_whole_request(engine: Engine, bound: int) -> None:
    store(engine, tariff({"input_token": {0: "2", bound: "3"}, "output_token": {0: "10", bound: "15"}}))
    for prompt, tier, each, output in ((bound - 1, 0, 2, "70"), (bound, bound, 3, "105"), (bound + 1, bound, 3, "105")):
        first, second = ask(engine, {"input_token": prompt, "output_token": 7})
        assert (first.tier_start, first.cost, format(second.cost or 0, "f")) == (tier, prompt * each, output)


def test_each_meter_has_the_highest_of_its_own_tiers_that_the_prompt_reaches(engine: Engine) -> None:
    store(
        engine,
        tariff(
            {
                "input_token": {0: "1", 128_000: "2", 272_000: "4"},
                "output_token": {0: "5", 200_000: "6"},
                "request": "7",
            }
        ),
    )
    found = ask(engine, {"input_token": 271_999, "output_token": 1, "request": 1})
    assert [(line.tier_start, line.unit_price) for line in found] == [(128_000, 2), (200_000, 6), (0, 7)]


def test_what_was_read_from_the_cache_is_not_billed_as_input_too(engine: Engine) -> None:
    store(engine, tariff({"input_token": "0.000003", "cache_read_token": "0.0000003", "output_token": "0.000015"}))
    found = ask(engine, {"input_token": 12_000, "cache_read_token": 8_000, "output_token": 500})
    assert [(line.meter, line.quantity, format(line.cost or 0, "f"), line.note) for line in found] == [
        ("input_token", 4_000, "0.012", None),
        ("output_token", 500, "0.0075", None),
        ("cache_read_token", 8_000, "0.0024", None),
    ]


def test_reads_and_writes_of_each_kind_are_taken_out_of_the_input(engine: Engine) -> None:
    parts = {"cache_read_token": "0.1", "cache_read_implicit_token": "0.2", "cache_write_token": "1.2"}
    store(engine, tariff({"input_token": "1", **parts, "cache_write_5m_token": "1.25", "cache_write_1h_token": "2"}))
    lifetimes = {"cache_write_5m_token": 300, "cache_write_1h_token": 200}
    assert costs(engine, {"input_token": 100_000, **dict.fromkeys(parts, 1_000), **lifetimes}) == {
        "input_token": "97000",
        "cache_read_token": "100",
        "cache_read_implicit_token": "200",
        "cache_write_token": "600",
        "cache_write_5m_token": "375",
        "cache_write_1h_token": "400",
    }


@pytest.mark.parametrize("what", ["image", "audio", "video", "file"])
def test_cached_tokens_of_a_modality_are_taken_out_of_the_input_of_that_modality(engine: Engine, what: str) -> None:
    whole, part = f"input_{what}_token", f"cache_read_{what}_token"
    store(engine, tariff({"input_token": "1", whole: "2", part: "0.5"}))
    assert costs(engine, {"input_token": 15, whole: 10, part: 4}) == {"input_token": "5", whole: "12", part: "2"}


def test_what_was_cached_belongs_to_the_prompt_that_decides_the_tier(engine: Engine) -> None:
    store(engine, tariff({"input_token": {0: "1", 200_000: "2"}, "cache_read_token": {0: "1", 200_000: "2"}}))
    found = ask(engine, {"input_token": 200_000, "cache_read_token": 199_999})
    assert [(line.quantity, line.cost) for line in found] == [(1, 2), (199_999, 399_998)]


def test_tokens_of_other_modalities_are_in_the_prompt_already(engine: Engine) -> None:
    store(engine, tariff({"input_token": {0: "1", 200_000: "2"}, "input_image_token": "3", "output_token": "1"}))
    for prompt, cost in ((199_999, "100000"), (200_000, "200002")):
        assert costs(engine, {"input_token": prompt, "input_image_token": 99_999})["input_token"] == cost
    assert costs(engine, {"input_token": 100_000, "output_token": 900_000})["input_token"] == "100000"


def test_where_no_input_is_given_nothing_is_taken_out_and_what_was_cached_is_the_prompt(engine: Engine) -> None:
    store(engine, tariff({"cache_read_token": {0: "1", 200_000: "2"}, "cache_write_token": "1"}))
    usage = {"cache_read_token": 150_000, "cache_write_token": 50_000}
    assert costs(engine, usage) == {"cache_read_token": "300000", "cache_write_token": "50000"}


def test_more_cached_than_input_leaves_the_input_without_a_cost(engine: Engine) -> None:
    store(engine, tariff({"input_token": "1", "cache_read_token": {0: "1", 200_000: "3"}}))
    first, second = ask(engine, {"input_token": 199_999, "cache_read_token": 200_000})
    why = "a total and its parts disagree: input_token 199999, cache_read_token 200000"
    assert first == Line("input_token", None, None, None, None, None, why)
    assert second == Line("cache_read_token", Decimal(200_000), 200_000, Decimal(3), "USD", Decimal(600_000), None)


def test_amounts_are_exact_however_large_the_count_and_small_the_price(engine: Engine) -> None:
    store(engine, tariff({"input_token": "0.00000000000000000000001", "output_token": "0.1", "request": "0.30"}))
    usage = '{"input_token": 123456789012345678901234567890, "output_token": 3, "request": 1.0}'
    assert costs(engine, usage) == {
        "input_token": "1234567.8901234567890123456789",
        "output_token": "0.3",
        "request": "0.3",
    }


def test_seconds_may_have_decimals_and_numbers_any_spelling(engine: Engine) -> None:
    store(engine, tariff({"input_audio_second": "0.0001", "input_token": {0: "1", 200_000: "2"}}))
    assert costs(engine, '{"input_audio_second": 12.5, "input_token": 2e5}') == {
        "input_audio_second": "0.00125",
        "input_token": "400000",
    }


def test_the_meters_come_in_one_order_and_names_that_are_none_last(engine: Engine) -> None:
    store(engine, tariff({}))
    usage = dict.fromkeys(["zebra", "Ant", *sorted(Meter, reverse=True)], 1)
    assert [line.meter for line in ask(engine, usage)] == [*Meter, "Ant", "zebra"]


def test_the_mart_knows_the_meters_and_what_is_taken_out_of_what(engine: Engine) -> None:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM mart.meter ORDER BY number")).all()
    assert [row.meter for row in rows] == list(Meter)
    assert {row.meter: row.part_of for row in rows if row.part_of} == {part: WHOLES[part][0] for part in WHOLES}
    assert {row.meter: row.priced_as[-1] for row in rows if row.priced_as} == {
        part: WHOLES[part][-1] for part in WHOLES
    }
    inside = {part for part in WHOLES if WHOLES[part][-1] == "input_token"}
    assert {row.meter for row in rows if row.in_prompt} == {"input_token", *inside}


def test_the_price_of_the_moment_counts_from_its_first_instant_to_its_end(engine: Engine) -> None:
    book = tariff({"request": "1"}, valid_to=FIRST + DAY)
    add(book, {"request": "2"}, valid_from=FIRST + DAY)
    store(engine, book)
    moments = (FIRST, FIRST + DAY - DAY.resolution, FIRST + DAY, FIRST + 9 * DAY)
    assert [costs(engine, {"request": 1}, at=at)["request"] for at in moments] == ["1", "1", "2", "2"]
    with engine.connect() as connection:
        question = "SELECT cost FROM mart.usage_cost('gateway', 'maker/model', 'provider', '*', '{\"request\": 1}')"
        assert connection.scalar(text(question.replace(":", "\\:"))) == 2


def test_a_late_correction_changes_what_a_day_cost_and_not_what_we_believed_then(engine: Engine) -> None:
    learned = FIRST + 5 * DAY
    book = tariff({"request": "20"}, known_to=learned)
    add(book, {"request": "0.02"}, known_from=learned)
    store(engine, book)
    for known_at, cost in ((None, "0.02"), (learned, "0.02"), (learned - DAY.resolution, "20")):
        assert costs(engine, {"request": 1}, known_at=known_at) == {"request": cost}
    assert costs(engine, {"request": 1}, known_at=FIRST - DAY) == {"request": "model not listed at that time"}


def test_an_end_that_was_not_known_yet_does_not_count(engine: Engine) -> None:
    store(engine, tariff({"request": "1"}, valid_to=FIRST + DAY, end_known_from=FIRST + 3 * DAY))
    asked = {"at": FIRST + 2 * DAY}
    assert costs(engine, {"request": 1}, known_at=FIRST + 2 * DAY, **asked) == {"request": "1"}
    assert costs(engine, {"request": 1}, **asked) == {"request": "no price published for the meter"}


def test_a_plan_has_prices_of_its_own_and_none_means_standard(engine: Engine) -> None:
    book = tariff({"request": "2"})
    add(book, {"request": "1"}, plan="batch")
    store(engine, book)
    found = [costs(engine, {"request": 1}, plan=plan)["request"] for plan in ("standard", None, "batch", "flex")]
    assert found == ["2", "2", "1", "no price published for the meter"]


def test_no_region_means_the_one_that_the_source_does_not_name(engine: Engine) -> None:
    store(engine, tariff({"request": "2"}))
    found = [costs(engine, {"request": 1}, region=region)["request"] for region in (None, "*", "eu")]
    assert found == ["2", "2", "endpoint not listed at that time"]
