"""One history from any order of arrival: a hundred orders of thirty snapshots."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from tests.load.believing import believed, load
from tests.load.worlds import BAD, PROVIDERS, World, history

SNAPSHOTS = 30
ORDERS = 100

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
def test_a_hundred_orders_of_thirty_snapshots_give_one_history(engine: Engine) -> None:
    worlds = thirty_worlds(random.Random(30))  # noqa: S311  any world will do
    expected = history(worlds)

    def arrive(seed: int) -> bool:
        days = list(worlds)
        random.Random(seed).shuffle(days)  # noqa: S311  any order will do
        for day in days:
            load(engine, f"order {seed}", day, worlds[day])
        return believed(engine, f"order {seed}") == expected

    with ThreadPoolExecutor(max_workers=4) as pool:
        assert all(pool.map(arrive, range(ORDERS)))
