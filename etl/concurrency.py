"""The sources of a command at once, each in a thread of its own, because each waits for a network."""

import contextvars
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

from sqlalchemy.exc import DBAPIError

from etl.config import ConfiguredSource
from etl.result import Result, broken

MOST = 16
"""Sources at once: each takes two connections while it loads, and a server has a hundred for everybody."""


def at_once(work: Callable[[ConfiguredSource], Result], sources: Iterable[ConfiguredSource]) -> Iterator[Result]:
    """The results as they are ready. A database that fails one source does not stop the others."""

    def done(source: ConfiguredSource) -> Result:
        try:
            return work(source)
        except DBAPIError as error:
            return broken(source.name, error)

    asked = list(sources)
    pool = ThreadPoolExecutor(max_workers=max(1, min(MOST, len(asked))), thread_name_prefix="source")
    try:
        # Each thread knows what is bound here, such as the span that its work belongs to.
        for ready in as_completed([pool.submit(contextvars.copy_context().run, done, source) for source in asked]):
            yield ready.result()
    finally:
        # Whoever breaks off does not wait for slow gateways; otherwise all are done by now.
        pool.shutdown(wait=False, cancel_futures=True)
