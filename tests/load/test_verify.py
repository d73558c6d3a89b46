"""`etl verify`: history is a function of the landed bytes, and a difference is found, told, and can be corrected."""

import random
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from etl.domain.snapshot import Origin, Page, Snapshot
from etl.load.comparing import Verdict
from etl.pipeline import Pipeline
from etl.sources.registry import kinds
from tests.database.roles import as_owner
from tests.dump import HISTORY
from tests.load.believing import Ticking, believed, believed_at, load, observe
from tests.load.worlds import WORLDS, World, history, moment


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


@pytest.mark.slow
@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE core.price SET unit_price = unit_price + 1 WHERE price_state = 'priced'",
        "DELETE FROM core.model WHERE model_id = 'groq/m0'",
        "UPDATE core.price SET valid_from = valid_from + interval '1 hour' WHERE valid_to IS NULL",
        "INSERT INTO core.author (source, author, extra, valid_from, known_from) VALUES ('s', 'x', '{}', now(), now())",
        "DELETE FROM core.quarantine",
        "DELETE FROM core.price_change",
        "UPDATE core.price_change SET ratio = 7",
        "UPDATE core.catalog_change SET not_before = not_before - interval '1 hour'",
    ],
)
def test_a_history_that_was_tampered_with_differs_and_can_be_corrected(engine: Engine, tampering: str) -> None:
    for day, world in WORLDS.items():
        load(engine, "s", day, world)
    with as_owner(engine).begin() as connection:
        connection.execute(text(tampering))
    verdict = verify(engine)
    assert not verdict.agrees
    assert verdict.differences[0].examples
    assert verify(engine, is_applied=True).applied is not None
    assert verify(engine).agrees
    assert believed(engine, "s") == history(WORLDS)


def test_a_correction_of_prices_corrects_what_moved_in_the_price_index(engine: Engine) -> None:
    for day, price in enumerate(("1", "2")):
        load(engine, "s", day, World({"openai/m": ("A", {"prompt": price, "completion": "1"})}))
    moves = text("SELECT * FROM core.basket_move ORDER BY day")
    with as_owner(engine).begin() as connection:
        right = connection.execute(moves).all()
        connection.execute(text("UPDATE core.price SET unit_price = 1"))
        connection.execute(text("SELECT core.refresh_basket('s')"))
        assert connection.execute(moves).all() != right
    verify(engine, is_applied=True)
    with engine.connect() as connection:
        assert connection.execute(moves).all() == right


def test_a_correction_is_believed_from_then_on_and_never_rewrites_what_was_believed(engine: Engine) -> None:
    clock = Ticking()
    load(engine, "s", 0, WORLDS[0], clock)
    with as_owner(engine).begin() as connection:
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
    with as_owner(engine).begin() as connection:
        connection.execute(text("ALTER TABLE raw.page DISABLE TRIGGER append_only"))
        connection.execute(text("INSERT INTO raw.content SELECT sha256('\\x00'), size, body FROM raw.content"))
        connection.execute(text("UPDATE raw.page SET sha256 = sha256('\\x00')"))
    verdict = verify(engine)
    assert "damaged" in verdict.unreadable[0]


def test_bytes_are_read_again_as_the_kind_that_they_were_landed_as(engine: Engine) -> None:
    load(engine, "s", 0, WORLDS[0])
    later = Page(number=1, url="later", status=200, body=b'{"models": [{"id": "m"}]}', fetched_at=moment(9))
    moved = Snapshot(source="s", kind="majestix", observed_at=moment(9), origin=Origin.BACKFILL, pages=(later,))
    pipeline = Pipeline(engine, Ticking())
    assert pipeline.take(kinds()["majestix"]("s"), moved).status == "loaded"
    assert pipeline.verify(kinds()["majestix"]("s"), is_applied=False, progress=lambda *_: None).agrees


def test_what_the_database_refuses_fails_one_snapshot_and_not_the_next(engine: Engine) -> None:
    load(engine, "s", 0, WORLDS[0])
    with as_owner(engine).begin() as connection:
        connection.execute(text("ALTER TABLE core.model ADD CONSTRAINT picky CHECK (name <> 'Z')"))
    assert load(engine, "s", 1, WORLDS[0]).status == "unchanged"
    assert load(engine, "s", 2, World({"openai/m9": ("Z", {})})).status == "failed"
    assert load(engine, "s", 3, WORLDS[0]).status == "unchanged"


def test_a_number_of_twenty_thousand_digits_is_kept_and_breaks_nothing(engine: Engine) -> None:
    body = b'{"data": [{"id": "openai/m0", "x": 1.' + b"1" * 20_000 + b"}]}"
    page = Page(number=1, url="long", status=200, body=body, fetched_at=moment(0))
    long = Snapshot(source="s", kind="bifrost", observed_at=moment(0), origin=Origin.BACKFILL, pages=(page,))
    assert Pipeline(engine, Ticking()).take(kinds()["bifrost"]("s"), long).status == "loaded"


def test_a_snapshot_that_failed_speaks_no_more_when_another_of_its_time_is_held(engine: Engine) -> None:
    full = World({f"openai/m{number}": ("A", {}) for number in range(9)})
    observe(engine, "s", 0, full)
    reordered = observe(engine, "s", 1, replace(full, order=1))
    with engine.begin() as connection:
        failed = text(
            "UPDATE core.snapshot SET status = 'failed', reason = 'could not be read then' WHERE snapshot_id = :n"
        )
        connection.execute(failed, {"n": reordered.snapshot_id})
    assert observe(engine, "s", 1, World({})).status == "held"
    assert verify(engine).agrees


def test_a_snapshot_that_failed_and_can_be_read_now_is_told_and_counts_once_applied(engine: Engine) -> None:
    load(engine, "s", 0, WORLDS[0])
    again = load(engine, "s", 1, replace(WORLDS[0], order=1))
    with engine.begin() as connection:
        failed = text("UPDATE core.snapshot SET status = 'failed', attempts = 0 WHERE snapshot_id = :n")
        connection.execute(failed, {"n": again.snapshot_id})
    assert verify(engine).readable_now == [again.snapshot_id]
    verify(engine, is_applied=True)
    assert verify(engine).agrees
    with engine.connect() as connection:
        logged = connection.execute(
            text("SELECT status, is_complete, models FROM mart.snapshot ORDER BY observed_at")
        ).all()
    assert tuple(logged[1]) == ("loaded", True, 2)
