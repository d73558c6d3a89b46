"""Processes that end while they load a certain snapshot, as a process does that takes more memory than there is."""

import os
import signal
from collections.abc import Sequence
from typing import Any

from sqlalchemy import URL, Engine, make_url, text

from etl.database.engine import open_engine
from etl.domain.catalog import Catalog
from etl.domain.snapshot import Origin
from etl.load import judge
from etl.pipeline import Pipeline
from etl.result import Result
from etl.sources.registry import kinds
from tests.faults.poison import saved, take
from tests.faults.processes import ended, start
from tests.load.believing import Ticking

DEADLY = b'{"data":[{"id":"openai/m0","pricing":{"prompt":"0.000001"}},{"id":"o/deadly"}]}'


def die_reading() -> None:
    """From now on this process is killed when it has read the deadly snapshot and is about to load it."""
    load = judge.load

    def loading(connection: Any, arrived: Any, catalog: Catalog, *args: Any, **options: Any) -> Any:
        if any(model.model_id == "o/deadly" for model in catalog.models):
            os.kill(os.getpid(), signal.SIGKILL)
        return load(connection, arrived, catalog, *args, **options)

    judge.load = loading


def backfilled(engine: Engine, source: str, bodies: Sequence[bytes]) -> list[Result]:
    """Load saved bodies, one for each day, in chunks of all of them."""
    snapshots = [saved(source, day, body, Origin.BACKFILL) for day, body in enumerate(bodies)]
    pipeline = Pipeline(engine, Ticking())
    loads = pipeline._loading(kinds()["bifrost"](source))  # noqa: SLF001  a chunk as the workers of a backfill make it
    return list(loads.take_all([pair for each in snapshots for pair in loading_chunk(each)]))


def loading_chunk(snapshot: Any) -> Any:
    from etl import bulk  # noqa: PLC0415

    return bulk.alone(snapshot)


def task(url: str, source: str, bodies: Sequence[bytes], day: int | None) -> None:
    """Load one body of a day, or all of them in one chunk; die at the deadly one."""
    die_reading()
    engine = open_engine(make_url(url))
    if day is None:
        backfilled(engine, source, bodies)
    else:
        take(Pipeline(engine, Ticking()), source, day, bodies[day])


def killed(url: URL, source: str, bodies: Sequence[bytes], day: int | None = None) -> bool:
    """Whether a process that loads these bodies is killed by one of them."""
    shown = url.render_as_string(hide_password=False)
    return ended(start(task, shown, source, list(bodies), day)) == -signal.SIGKILL


def states(engine: Engine, source: str) -> list[str]:
    """The status of each snapshot of a source, in order of time."""
    sql = text("SELECT status FROM mart.snapshot WHERE source = :source ORDER BY observed_at")
    with engine.connect() as connection:
        return list(connection.scalars(sql, {"source": source}))
