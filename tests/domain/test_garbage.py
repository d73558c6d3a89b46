"""The collector of cyclic garbage rests while somebody reads, and is as it was before when nobody does."""

import gc
from collections.abc import Iterator
from contextlib import suppress
from threading import Barrier, Thread

import pytest

from etl.domain.garbage import uncollected


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.enable()
    yield
    if not was_on:
        gc.disable()


def test_the_collector_rests_while_somebody_reads_and_returns_after_an_error() -> None:
    with suppress(KeyError), uncollected():
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled()


def test_a_reading_within_a_reading_does_not_wake_the_collector() -> None:
    with uncollected():
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    with uncollected():
        pass
    assert not gc.isenabled()


def test_of_two_threads_the_last_one_wakes_the_collector() -> None:
    both, first_is_done, seen = Barrier(2), Barrier(2), []

    def first() -> None:
        with uncollected():
            both.wait(10)
        first_is_done.wait(10)

    def last() -> None:
        with uncollected():
            both.wait(10)
            first_is_done.wait(10)
            seen.append(gc.isenabled())

    threads = [Thread(target=each) for each in (first, last)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert seen == [False]
    assert gc.isenabled()
