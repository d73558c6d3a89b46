"""One history from any order of arrival: a hundred orders of thirty snapshots."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from tests.load.believing import believed, load_all
from tests.load.worlds import BAD, PROVIDERS, World, history, moment

SNAPSHOTS = 30
ORDERS = 100
PART = 25
"""Orders that share a warehouse: to link the models of a hundred sources costs more than to load them."""

Prices = dict[str, tuple[str, dict[str, str]]]


def thirty_worlds(chance: random.Random) -> dict[int, World]:
    """A gateway that lives: most days little changes, some models go and return, some days are seen badly."""
    models: Prices = {f"{provider}/m{number}": ("A", {"prompt": "1"}) for provider in PROVIDERS for number in range(4)}
    everything = list(models)
    worlds = {}
    for day in range(SNAPSHOTS):
        for model in chance.sample(everything, 2):
            if model in models and chance.random() < 0.3:
                del models[model]
            else:
                price = chance.choice(["0", "1", "1.0", "2", "-1", BAD])
                models[model] = (chance.choice("AB"), {"prompt": price, "image": "0.5"})
        worlds[day] = World(
            dict(models),
            failed=frozenset(chance.sample(PROVIDERS, 1) if chance.random() < 0.15 else ()),
            is_whole=chance.random() > 0.1,
            garbage=chance.random() < 0.1,
            order=day % 2,
        )
    return worlds


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, ORDERS, PART))
def test_a_hundred_orders_of_thirty_snapshots_give_one_history(engine: Engine, first: int) -> None:
    worlds = thirty_worlds(random.Random(30))  # noqa: S311  any world will do
    expected = history(worlds)

    def arrive(seed: int) -> bool:
        source, days = f"order {seed}", list(worlds)
        random.Random(seed).shuffle(days)  # noqa: S311  any order will do
        results = load_all(engine, source, {day: worlds[day] for day in days})
        assert [result.observed_at for result in results] == [moment(day) for day in days]
        return believed(engine, source) == expected

    with ThreadPoolExecutor(max_workers=4) as pool:
        assert all(pool.map(arrive, range(first, first + PART)))
