"""A price that differs from the one before only by the noise of a double is no change of what anyone pays."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, text

from tests.database.roles import as_owner
from tests.load.believing import believed, load
from tests.load.test_verify import verify
from tests.load.worlds import World, history

DAYS = {day: World({"openai/m": ("A", {"prompt": "0.00000075", "completion": "1"})}) for day in range(2)}


def with_noise(engine: Engine, figure: str) -> None:
    """Two equal snapshots, the first of them read as a version without rounding left it."""
    load(engine, "s", 0, DAYS[0])
    with as_owner(engine).begin() as connection:
        noisy = text("UPDATE core.price SET unit_price = :figure WHERE meter = 'input_token'")
        connection.execute(noisy, {"figure": Decimal(figure)})
        # Another reading: what the former one vouched for is read anew.
        connection.execute(text("UPDATE core.applied SET reading = 'former'"))
        connection.execute(text("SELECT core.refresh_basket('s')"))
    load(engine, "s", 1, DAYS[1])


def changes(engine: Engine) -> list[Any]:
    query = text("SELECT meter, change, is_economic, is_reversal, is_suspect, is_correction FROM mart.price_change")
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query)]


def test_a_price_that_loses_the_noise_of_a_double_is_no_economic_change(engine: Engine) -> None:
    with_noise(engine, "0.0000007499999999999999")
    assert changes(engine) == [("input_token", "increased", False, False, False, False)]


def test_the_smallest_step_that_a_source_could_mean_is_an_economic_change(engine: Engine) -> None:
    with_noise(engine, "0.0000007499999999")
    assert changes(engine) == [("input_token", "increased", True, False, False, False)]


def test_verify_corrects_a_history_with_noise_and_leaves_no_change(engine: Engine) -> None:
    with_noise(engine, "0.0000007499999999999999")
    assert not verify(engine).agrees
    verify(engine, is_applied=True)
    assert changes(engine) == []
    assert believed(engine, "s") == history(DAYS)
    assert verify(engine).agrees
    with engine.connect() as connection:
        assert not connection.scalar(text("SELECT sum(changed) FROM mart.price_index WHERE source = 's'"))
