"""Loads go on beside each other, but for one that was cut off before."""

import threading
import time

from etl.load.turns import Turns


def test_a_load_that_is_tried_again_is_alone_and_all_others_are_not() -> None:
    turns, lock, going_on, most, beside = Turns(), threading.Lock(), set[int](), [0], [0]

    def load(number: int, *, alone: bool) -> None:
        with turns.take(alone=alone):
            with lock:
                going_on.add(number)
                most[0] = max(most[0], len(going_on))
                beside[0] = max(beside[0], len(going_on) if alone else 0)
            time.sleep(0.02)
            with lock:
                going_on.remove(number)

    threads = [threading.Thread(target=load, args=(at,), kwargs={"alone": at % 4 == 0}) for at in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
    assert (most[0] > 1, beside[0]) == (True, 1)
