"""`etl verify`: history is a function of the landed bytes, and a difference is found, told, and can be corrected."""

import random
from typing import Any

import pytest
from sqlalchemy import Engine, text

from etl.load.verify import Verdict
from etl.pipeline import Pipeline
from etl.sources.registry import kinds
from tests.dump import HISTORY
from tests.load.believing import Ticking, believed, believed_at, load, observe
from tests.load.worlds import World, history, moment

WORLDS = {
    0: World({"openai/m0": ("A", {"prompt": "1"}), "groq/m0": ("B", {"prompt": "2", "image": "0"})}),
    1: World({"openai/m0": ("A", {"prompt": "1.5"})}, failed=frozenset({"groq"})),
    2: World({"openai/m0": ("A", {"prompt": "12x"})}, is_whole=False),
    3: World({"groq/m0": ("C", {"prompt": "-1"})}),
    4: World({"openai/m0": ("A", {"prompt": "1"}), "groq/m0": ("B", {"prompt": "2", "image": "0"})}),
}


def verify(engine: Engine, *, is_applied: bool = False, now: Any = None) -> Verdict:
    seen: list[tuple[int, int]] = []
    pipeline = Pipeline(engine, now or Ticking())
    verdict = pipeline.verify(
        kinds()["bifrost"]("s"), is_applied=is_applied, progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(number + 1, len(seen)) for number in range(len(seen))]
    return verdict


def tables(engine: Engine) -> dict[str, list[str]]:
    with engine.connect() as connection:
        return {name: sorted(connection.scalars(text(f"SELECT t::text FROM {name} t"))) for name in HISTORY}


@pytest.mark.parametrize("seed", range(3))
def test_a_history_that_came_in_any_order_verifies(engine: Engine, seed: int) -> None:
    days = sorted(WORLDS)
    random.Random(seed).shuffle(days)  # noqa: S311  any order will do
    for day in days:
        load(engine, "s", day, WORLDS[day])
    before = tables(engine)
    verdict = verify(engine)
    assert verdict.agrees
    assert verdict.snapshots == len(WORLDS)
    assert tables(engine) == before


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE core.price SET unit_price = unit_price + 1 WHERE price_state = 'priced'",
        "DELETE FROM core.model WHERE model_id = 'groq/m0'",
        "UPDATE core.price SET valid_from = valid_from + interval '1 hour' WHERE valid_to IS NULL",
        "INSERT INTO core.author (source, author, extra, valid_from, known_from) VALUES ('s', 'x', '{}', now(), now())",
        "DELETE FROM core.quarantine",
    ],
)
def test_a_history_that_was_tampered_with_differs_and_can_be_corrected(engine: Engine, tampering: str) -> None:
    for day, world in WORLDS.items():
        load(engine, "s", day, world)
    with engine.begin() as connection:
        connection.execute(text(tampering))
    verdict = verify(engine)
    assert not verdict.agrees
    assert verdict.differences[0].examples
    assert verify(engine, is_applied=True).applied is not None
    assert verify(engine).agrees
    assert believed(engine, "s") == history(WORLDS)


def test_a_correction_is_believed_from_then_on_and_never_rewrites_what_was_believed(engine: Engine) -> None:
    clock = Ticking()
    load(engine, "s", 0, WORLDS[0], clock)
    with engine.begin() as connection:
        connection.execute(text("UPDATE core.price SET unit_price = 9 WHERE price_state = 'priced'"))
    remembered = clock()
    wrong = believed_at(engine, "s", moment(1), remembered)
    verify(engine, is_applied=True, now=clock)
    assert believed_at(engine, "s", moment(1), remembered) == wrong
    assert believed_at(engine, "s", moment(1), None) != wrong


def test_held_and_rejected_snapshots_are_no_part_of_it(engine: Engine) -> None:
    full = World({f"openai/m{number}": ("A", {}) for number in range(9)})
    for day, world in enumerate([full, World({}), full, World({})]):
        observe(engine, "s", day, world)
    verdict = verify(engine)
    assert verdict.agrees
    assert verdict.snapshots == 2


def test_damaged_bytes_are_named(engine: Engine) -> None:
    load(engine, "s", 0, WORLDS[0])
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE raw.page DISABLE TRIGGER append_only"))
        connection.execute(text("INSERT INTO raw.content SELECT sha256('\\x00'), size, body FROM raw.content"))
        connection.execute(text("UPDATE raw.page SET sha256 = sha256('\\x00')"))
    verdict = verify(engine)
    assert "damaged" in verdict.unreadable[0]
