"""Loading invented worlds, and reading back what the mart believes, in the shape of the oracle."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

from etl.domain.snapshot import Origin
from etl.pipeline import Pipeline
from etl.result import Result
from etl.sources.registry import kinds
from tests.load.worlds import Key, Run, Value, World, moment, snapshot

Timeline = Mapping[int, World]


@dataclass
class Ticking:
    """A clock that is one second further each time it is asked."""

    now: datetime = datetime(2027, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def clock() -> datetime:
    """The real one."""
    return datetime.now(UTC)


def load(engine: Engine, source: str, day: int, world: World, now: Any = clock) -> Result:
    """Backfill the world of one day."""
    [result] = load_all(engine, source, {day: world}, now)
    return result


def load_all(engine: Engine, source: str, worlds: Timeline, now: Any = clock) -> list[Result]:
    """Backfill the worlds of several days with one command, in the order given."""
    snapshots = [snapshot(source, day, world) for day, world in worlds.items()]
    return list(Pipeline(engine, now).backfill(kinds()["bifrost"](source), snapshots))


def observe(engine: Engine, source: str, day: float, world: World, now: Any = None) -> Result:
    """Take the world of one day as a live snapshot: then, or now where that is later."""
    live = replace(snapshot(source, day, world), origin=Origin.RUN)
    return Pipeline(engine, now or (lambda: max(clock(), moment(day)))).take(kinds()["bifrost"](source), live)


def believed(engine: Engine, source: str) -> tuple[set[Run], set[Run]]:
    """The versions of models and prices that the mart shows."""
    with engine.connect() as connection:
        models = connection.execute(
            text("SELECT model_id, name, valid_from, valid_to FROM mart.model_history WHERE source = :s"), {"s": source}
        ).all()
        prices = connection.execute(
            text(
                "SELECT model_id, provider, meter, price_state, trim_scale(unit_price)::text AS amount,"
                " valid_from, valid_to FROM mart.price_history WHERE source = :s"
            ),
            {"s": source},
        ).all()
    return (
        {((row.model_id,), (row.name,), row.valid_from, row.valid_to) for row in models},
        {
            ((row.model_id, row.provider, row.meter), (row.price_state, row.amount), row.valid_from, row.valid_to)
            for row in prices
        },
    )


State = tuple[dict[Key, Value], dict[Key, Value]]


def believed_at(engine: Engine, source: str, valid_at: datetime, known_at: datetime | None) -> State:
    """The models and prices in force at one moment, as believed at another."""
    moments = {"s": source, "v": valid_at, "k": known_at}
    with engine.connect() as connection:
        models = connection.execute(
            text("SELECT model_id, name FROM mart.model_as_of(:v, CAST(:k AS timestamptz)) WHERE source = :s"), moments
        ).all()
        prices = connection.execute(
            text(
                "SELECT model_id, provider, meter, price_state, trim_scale(unit_price)::text AS amount"
                " FROM mart.price_as_of(:v, CAST(:k AS timestamptz)) WHERE source = :s"
            ),
            moments,
        ).all()
    return (
        {(row.model_id,): (row.name,) for row in models},
        {(row.model_id, row.provider, row.meter): (row.price_state, row.amount) for row in prices},
    )


def state_at(runs: tuple[set[Run], set[Run]], valid_at: datetime) -> State:
    """The same from the oracle's versions."""
    models, prices = (
        {key: value for key, value, start, end in each if start <= valid_at and (end is None or end > valid_at)}
        for each in runs
    )
    return models, prices
