"""One row per change of a price: what, why, how much, between which two moments."""

from typing import Any

from sqlalchemy import Engine, text

from tests.load.believing import load
from tests.load.worlds import World, moment

M1 = "openai/m1"


def model(**prices: str) -> World:
    """A catalog of one model, beside one that never changes."""
    return World({M1: ("A", prices), "openai/steady": ("B", {"prompt": "1"})})


STEADY = World({"openai/steady": ("B", {"prompt": "1"})})


def changes(engine: Engine, *worlds: World) -> list[Any]:
    for day, world in enumerate(worlds):
        load(engine, "s", day, world)
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT * FROM mart.price_change ORDER BY changed_at, meter")))


def test_the_first_snapshot_makes_no_changes(engine: Engine) -> None:
    assert changes(engine, model(prompt="1")) == []


def test_a_cut_tells_both_prices_their_ratio_and_the_moments_between_which_it_happened(engine: Engine) -> None:
    [cut] = changes(engine, model(prompt="4"), model(prompt="4"), model(prompt="1"))
    assert (cut.change, cut.cause, cut.old_unit_price, cut.new_unit_price, cut.ratio) == (
        "decreased",
        "price",
        4,
        1,
        0.25,
    )
    assert (cut.not_before, cut.changed_at) == (moment(1), moment(2))
    assert (cut.is_economic, cut.is_reversal, cut.is_suspect) == (True, False, False)


def test_free_counts_as_zero(engine: Engine) -> None:
    rise, fall = changes(engine, model(prompt="0"), model(prompt="1"), model(prompt="0.00"))
    assert (rise.change, rise.ratio, rise.is_economic) == ("increased", None, True)
    assert (fall.change, fall.new_state, fall.is_economic) == ("decreased", "free", True)


def test_dynamic_that_comes_or_goes_is_restated(engine: Engine) -> None:
    came, went = changes(engine, model(prompt="1"), model(prompt="-1"), model(prompt="1"))
    assert (came.change, came.new_unit_price, came.is_economic) == ("restated", None, True)
    assert (went.change, went.old_state) == ("restated", "dynamic")


def test_a_price_comes_and_goes_with_its_model(engine: Engine) -> None:
    came, went = changes(engine, STEADY, model(prompt="1"), STEADY)
    assert (came.change, came.cause, came.old_state, came.is_economic) == ("added", "model", None, True)
    assert (went.change, went.cause, went.new_state, went.changed_at) == ("removed", "model", None, moment(2))


def test_a_price_comes_and_goes_with_its_meter(engine: Engine) -> None:
    came, went = changes(engine, model(prompt="1"), model(prompt="1", image="2"), model(prompt="1"))
    assert (came.change, came.cause, came.meter) == ("added", "meter", "input_image")
    assert (went.change, went.cause, went.meter) == ("removed", "meter", "input_image")


def test_a_component_quoted_as_nothing_that_comes_or_goes_is_not_economic(engine: Engine) -> None:
    came, went = changes(engine, model(prompt="1"), model(prompt="1", image="0"), model(prompt="1"))
    assert (came.change, came.is_economic) == ("added", False)
    assert (went.change, went.is_economic) == ("removed", False)


def test_a_return_to_the_price_before_the_last_is_a_reversal_unless_there_was_a_gap(engine: Engine) -> None:
    _, back = changes(engine, model(prompt="1"), model(prompt="3"), model(prompt="1"))
    assert back.is_reversal


def test_a_gap_between_the_three_prices_makes_it_no_reversal(engine: Engine) -> None:
    found = changes(engine, model(prompt="1"), model(prompt="3"), model(image="1"), model(image="1", prompt="1"))
    assert [row.is_reversal for row in found if row.meter == "input_token"] == [False, False, False]


def test_a_gap_before_the_second_of_the_three_makes_it_no_reversal_either(engine: Engine) -> None:
    found = changes(engine, model(prompt="1"), model(image="1"), model(image="1", prompt="3"), model(prompt="1"))
    assert [row.is_reversal for row in found if row.meter == "input_token"] == [False, False, False]


def test_ten_times_is_suspect_and_the_way_back_is_not(engine: Engine) -> None:
    up, down = changes(engine, model(prompt="1"), model(prompt="10"), model(prompt="0.9"))
    assert (up.is_suspect, down.is_suspect) == (True, False)


def test_what_could_not_be_seen_for_a_while_may_have_changed_since_it_was_last_seen(engine: Engine) -> None:
    hidden = World(STEADY.models, failed=frozenset({"openai"}))
    [rise] = changes(engine, model(prompt="1"), hidden, hidden, model(prompt="2"))
    assert (rise.not_before, rise.changed_at) == (moment(0), moment(3))


def test_what_came_may_have_come_since_the_last_complete_snapshot(engine: Engine) -> None:
    partial = World(STEADY.models, is_whole=False)
    [came] = changes(engine, STEADY, partial, model(prompt="1"))
    assert (came.not_before, came.changed_at) == (moment(0), moment(2))


def test_models_that_came_went_and_returned_are_catalog_changes(engine: Engine) -> None:
    changes(engine, STEADY, model(prompt="1"), STEADY, model(prompt="1"))
    with engine.connect() as connection:
        found = connection.execute(
            text("SELECT change, changed_at FROM mart.catalog_change WHERE entity = 'model' ORDER BY changed_at")
        ).all()
    assert [tuple(row) for row in found] == [("came", moment(1)), ("went", moment(2)), ("returned", moment(3))]


def test_a_changed_attribute_is_told_with_both_values(engine: Engine) -> None:
    changes(engine, World({M1: ("old", {})}), World({M1: ("new", {})}))
    with engine.connect() as connection:
        [row] = connection.execute(text("SELECT * FROM mart.catalog_change")).all()
    assert (row.entity, row.change, row.attribute, row.old_value, row.new_value) == (
        "model",
        "changed",
        "name",
        "old",
        "new",
    )


def test_a_model_that_is_missing_from_an_incomplete_snapshot_may_have_gone_since_the_complete_one(
    engine: Engine,
) -> None:
    partial = World(STEADY.models, is_whole=False)
    changes(engine, model(), partial, STEADY)
    with engine.connect() as connection:
        [row] = connection.execute(text("SELECT * FROM mart.catalog_change WHERE entity = 'model'")).all()
    assert (row.change, row.not_before, row.changed_at) == ("went", moment(0), moment(2))


def test_a_price_that_could_not_be_read_may_have_come_then(engine: Engine) -> None:
    [came] = changes(engine, model(prompt="1"), model(prompt="1", image="12x"), model(prompt="1", image="5"))
    assert (came.not_before, came.changed_at) == (moment(0), moment(2))


def test_what_a_failed_provider_hid_may_have_changed_since_it_was_last_seen(engine: Engine) -> None:
    hidden = World(STEADY.models, failed=frozenset({"openai"}))
    changes(engine, model(prompt="1"), hidden, World({M1: ("renamed", {"prompt": "1"}), **STEADY.models}))
    with engine.connect() as connection:
        [row] = connection.execute(text("SELECT * FROM mart.catalog_change")).all()
    assert (row.attribute, row.not_before, row.changed_at) == ("name", moment(0), moment(2))
