"""Who is measured: how each is prepared, how it is started, and how its history is read."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks._speed import limit
from benchmarks._speed.environments import python_of


def _nothing(_url: str) -> None:
    """No preparation."""


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One way from a body to history.

    ``command`` is completed by URL, file and time. ``table`` holds the versions, those of which ``believed`` counts,
    open while ``ends`` is null. ``is_warehouse``: it needs a migrated warehouse. ``reads_rows``: it is fed with rows.
    """

    name: str
    command: tuple[str, ...]
    table: str
    ends: str = "valid_to"
    believed: str = "true"
    is_warehouse: bool = False
    reads_rows: bool = False
    prepare: Callable[[str], None] = _nothing


OURS = Contender(
    name="ours",
    command=(sys.executable, "-m", "benchmarks._speed.child", "ours"),
    table="core.price",
    believed="known_to IS NULL",
    is_warehouse=True,
)
LIMIT = Contender(
    name="limit",
    command=(sys.executable, "-m", "benchmarks._speed.child", "limit"),
    table="bench.price",
    prepare=limit.prepare,
)


def peers() -> Iterator[Contender]:
    """Those that can be installed here."""
    if dlt := python_of("dlt"):
        yield _peer("dlt", (dlt, "dlt_scd2", "default"), "bench.price")
        yield _peer("dlt, Arrow", (dlt, "dlt_scd2", "arrow"), "bench.price")
    if dbt := python_of("dbt"):
        yield _peer("dbt snapshot", (dbt, "dbt_snapshot"), "bench_history.price", "dbt_valid_to")


def _peer(name: str, command: tuple[Path | str, ...], table: str, ends: str = "valid_to") -> Contender:
    python, module, *words = command
    started = (str(python), "-m", f"benchmarks._peers.{module}", *map(str, words))
    return Contender(name=name, command=started, table=table, ends=ends, reads_rows=True)
