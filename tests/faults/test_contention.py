"""Several processes at one source at once: they take turns, and history is that of the snapshots alone."""

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.context import ForkServerProcess

import pytest
from sqlalchemy import URL, Engine, text

from etl.load.locks import lock_source
from tests.extract.gateway import Gateway, ok
from tests.faults.processes import backfill_at, ended, run_at, start
from tests.faults.wards import assert_nothing_half, days_of
from tests.load.worlds import World, body

AWAY = 5
"""The day on which one model is not there."""


def world(day: int) -> World:
    """A catalog of which something changes every day and one model goes for a day: nothing that is doubted."""
    rows = {f"openai/m{number}": ("A", {"prompt": f"0.00000{1 + (day + number) % 7}"}) for number in range(6)}
    if day == AWAY:
        del rows["openai/m5"]
    return World(rows, order=day)


WORLDS = {day: world(day) for day in range(12)}
"""Even days up to 8 are saved, the others are served live."""


@contextmanager
def gateways(days: Sequence[int]) -> Iterator[Mapping[int, str]]:
    """Gateways that serve the catalogs of some days, as urls by day."""
    with ExitStack() as stack:
        yield {day: stack.enter_context(Gateway(ok(body(WORLDS[day])))).url for day in days}


def together(*processes: ForkServerProcess) -> None:
    """Wait for all, and expect that each came to its end."""
    assert [ended(process) for process in processes] == [0] * len(processes)


def assert_one_history(engine: Engine, source: str, days: Sequence[int]) -> None:
    """Every day counts once, and history is the one that a dict and a loop make of them."""
    assert_nothing_half(engine, source, WORLDS)
    assert days_of(engine, source) == set(days)
    with engine.connect() as connection:
        of_source = {"source": source}
        counted = text("SELECT count(*) FROM core.snapshot WHERE source = :source")
        assert connection.scalar(counted, of_source) == len(days)
        doubled = text(
            "SELECT count(*) FROM (SELECT 1 FROM core.price WHERE source = :source AND valid_to IS NULL"
            " AND known_to IS NULL GROUP BY model_id, provider, meter HAVING count(*) > 1) d"
        )
        assert connection.scalar(doubled, of_source) == 0


def shown(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@pytest.mark.parametrize(
    "delays",
    [
        (0.0, 0.0, 0.0),
        pytest.param((0.0, 0.05, 0.15), marks=pytest.mark.slow),
        pytest.param((0.2, 0.1, 0.0), marks=pytest.mark.slow),
    ],
)
def test_two_runs_and_a_backfill_of_one_source_at_once_make_one_history(
    warehouse_url: URL, engine: Engine, delays: tuple[float, float, float]
) -> None:
    saved = [(day, WORLDS[day]) for day in (0, 4, 2, 8, 6)]
    with gateways((1, 5, 9)) as one, gateways((3, 7, 10, 11)) as other:
        at, url = time.time() + 0.3, shown(warehouse_url)
        together(
            start(run_at, url, "s", one, at + delays[0]),
            start(run_at, url, "s", other, at + delays[1]),
            start(backfill_at, url, "s", saved, at + delays[2]),
        )
    assert_one_history(engine, "s", range(12))


def test_two_runs_and_two_backfills_of_the_same_snapshots_load_each_once(warehouse_url: URL, engine: Engine) -> None:
    saved = [(day, WORLDS[day]) for day in (2, 0)]
    with gateways((1, 3)) as live:
        at, url = time.time() + 0.3, shown(warehouse_url)
        together(
            *(start(run_at, url, "s", live, at) for _ in range(2)),
            *(start(backfill_at, url, "s", order, at) for order in (saved, saved[::-1])),
        )
    assert_one_history(engine, "s", range(4))


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.0, 0.02, 0.04, 0.08, 0.16, 0.32])
def test_six_processes_at_two_sources_make_two_histories(warehouse_url: URL, engine: Engine, delay: float) -> None:
    with gateways((1, 5, 9)) as live:
        at, url = time.time() + 0.3, shown(warehouse_url)
        saved = [[(day, WORLDS[day]) for day in days] for days in ((8, 0, 4), (2, 6, 0))]
        late = itertools.count()
        together(
            *(start(run_at, url, source, live, at + delay * next(late)) for source in ("s", "t")),
            *(start(backfill_at, url, s, each, at + delay * next(late)) for s in ("s", "t") for each in saved),
        )
    for source in ("s", "t"):
        assert_one_history(engine, source, (0, 1, 2, 4, 5, 6, 8, 9))


def waiting(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")) or 0)


def test_a_writer_waits_for_its_own_source_and_for_no_other(warehouse_url: URL, engine: Engine) -> None:
    saved, url = [(0, WORLDS[0])], shown(warehouse_url)
    with engine.begin() as busy:
        lock_source(busy, "taken")
        waits = start(backfill_at, url, "taken", saved, 0.0)
        together(start(backfill_at, url, "free", saved, 0.0))
        assert days_of(engine, "free") == {0}
        deadline = time.monotonic() + 20
        while not waiting(engine) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert waits.is_alive()
        assert days_of(engine, "taken", "true") == set()
    together(waits)
    assert_one_history(engine, "taken", (0,))
