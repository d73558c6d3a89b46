"""What a large load brought is known to the planner before the first question is asked."""

import time

from sqlalchemy import Engine, text

from etl.load import statistics
from tests.load.believing import load
from tests.load.worlds import World

ESTIMATE = text("SELECT reltuples FROM pg_class WHERE oid = 'core.price'::regclass")


def estimated(engine: Engine) -> float:
    """How many prices the planner thinks there are; -1 where nobody has told it yet."""
    with engine.connect() as connection:
        return float(connection.scalar(ESTIMATE) or 0)


def test_a_large_load_is_analysed_and_a_small_one_is_not(engine: Engine) -> None:
    load(engine, "s", 0, World({"openai/m": ("M", {"prompt": "1"})}))
    assert estimated(engine) <= 0
    load(engine, "s", 1, World({f"openai/m{number}": ("M", {"prompt": "1"}) for number in range(700)}))
    until = time.monotonic() + 20
    while estimated(engine) < 700 and time.monotonic() < until:
        # The server counts what a session did when that session has ended.
        with engine.begin() as connection:
            statistics.refresh(connection)
    assert estimated(engine) >= 700
