"""What does it cost that the database itself refuses overlapping versions?

Nothing, the trigger of the schema, and exclusion constraints, each on a copy of ``core.price``: on one server of their
own, in one run, with interleaved repeats. The figures, and what follows from them, stand in docs/history.md.
"""

import statistics
import sys
import time
from dataclasses import dataclass, field

from sqlalchemy import Engine, text

from benchmarks._server import warehouse
from etl.load.relations import price

ROWS = 100_000
CHANGED = ROWS // 100
REPEATS = 3

_TRIGGERS = "; ".join(
    f"CREATE TRIGGER refuse_overlap_{event} AFTER {event} ON bench.{{0}} REFERENCING NEW TABLE AS touched"
    f" FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_overlap({', '.join(price.key)})"
    for event in ("insert", "update")
)
_HASH = f"hashtextextended({' || chr(31) || '.join(('source', *price.key))}, 0)"
_SAME_KEY = f"int8range({_HASH}, {_HASH}, '[]') WITH &&"
"""Without btree_gist an integer range stands for the key. Real use would need a number for each key: hashes collide."""

MECHANISMS = {
    "no guard": "",
    "trigger": _TRIGGERS,
    "exclusion, believed versions": f"ALTER TABLE bench.{{0}} ADD EXCLUDE USING gist ({_SAME_KEY},"
    " tstzrange(valid_from, valid_to) WITH &&) WHERE (known_to IS NULL)",
    "exclusion, both clocks": f"ALTER TABLE bench.{{0}} ADD EXCLUDE USING gist ({_SAME_KEY},"
    " tstzrange(valid_from, valid_to) WITH &&, tstzrange(known_from, known_to) WITH &&)",
}
"""What is added to a copy of ``core.price``, which brings its unique indexes and its checks along.

The trigger promises as much as the exclusion on both clocks.
"""

STAGED = f"""
CREATE TABLE bench.staged AS
SELECT 'bench' AS source, 'maker/model-' || n / 20 AS model_id, 'provider-' || n / 5 % 4 AS provider,
       '*' AS region, 'standard' AS plan,
       (ARRAY['input_token', 'output_token', 'cache_read_token', 'request', 'web_search'])[n % 5 + 1] AS meter,
       0::bigint AS tier_start, 'USD' AS currency, 'priced' AS price_state, (n + 1) * 1e-8 AS unit_price
  FROM generate_series(0, {ROWS - 1}) n
"""  # noqa: S608  our own constant

_VALUES = f"source, {', '.join((*price.key, *price.values))}"

_FIRST = (
    f"INSERT INTO bench.{{0}} ({_VALUES}, valid_from, known_from)"  # noqa: S608
    f" SELECT {_VALUES}, '2026-01-01Z', '2026-01-01Z' FROM bench.staged"
)
_END = (
    "UPDATE bench.{0} SET valid_to = '2026-01-02Z', end_known_from = '2026-01-02Z'"  # noqa: S608
    f" WHERE version_id IN (SELECT version_id FROM bench.{{0}} ORDER BY version_id LIMIT {CHANGED})"
)
_OPEN = (
    f"INSERT INTO bench.{{0}} ({_VALUES}, valid_from, known_from)"  # noqa: S608
    f" SELECT {_VALUES.removesuffix('unit_price')} unit_price * 2, '2026-01-02Z', '2026-01-02Z'"
    " FROM bench.{0} WHERE valid_to IS NOT NULL"
)


@dataclass
class Times:
    """Seconds of each repeat."""

    first: list[float] = field(default_factory=list)
    second: list[float] = field(default_factory=list)


def main() -> None:
    """Measure and print one line for each mechanism."""
    with warehouse() as engine:
        _prepare(engine)
        times = {name: Times() for name in MECHANISMS}
        for repeat in range(REPEATS + 1):
            for number, name in enumerate(MECHANISMS):
                measured = _measure(engine, f"copy_{number}")
                if repeat:  # The first round only warms up.
                    times[name].first.append(measured[0])
                    times[name].second.append(measured[1])
    _print(times)


def _prepare(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA bench"))
        connection.execute(text(STAGED))
        for number, ddl in enumerate(MECHANISMS.values()):
            connection.execute(text(f"CREATE TABLE bench.copy_{number} (LIKE core.price INCLUDING ALL)"))
            for statement in filter(None, ddl.split("; ")):
                connection.execute(text(statement.format(f"copy_{number}")))
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("ANALYZE bench.staged"))


def _measure(engine: Engine, table: str) -> tuple[float, float]:
    """Seconds of the first load into the empty table, and of the second, each in a transaction of its own."""
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f"TRUNCATE bench.{table}"))
        connection.execute(text("CHECKPOINT"))
    return _seconds(engine, table, _FIRST), _seconds(engine, table, _END, _OPEN)


def _seconds(engine: Engine, table: str, *statements: str) -> float:
    with engine.connect() as connection:
        begun = time.perf_counter()
        for statement in statements:
            connection.execute(text(statement.format(table)))
        connection.commit()
        return time.perf_counter() - begun


def _print(times: dict[str, Times]) -> None:
    first, second = (statistics.median(each) for each in (times["no guard"].first, times["no guard"].second))
    sys.stdout.write(f"median of {REPEATS}; first load {ROWS:,} rows, second load ends and opens {CHANGED:,}\n")
    for name, each in times.items():
        one, other = statistics.median(each.first), statistics.median(each.second)
        sys.stdout.write(
            f"{name:30} first {one:6.2f} s (x {one / first:5.2f})  second {other:6.3f} s (x {other / second:5.2f})\n"
        )
