"""Who is measured: how each is prepared, how it is started, and how its history is read."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed import limit


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
    prepare: Callable[[str], None] = lambda _url: None


def _child(name: str, python: Path | str = sys.executable) -> tuple[str, ...]:
    return (str(python), "-m", "benchmarks.speed.child", name)


OURS = Contender(
    name="ours",
    command=_child("ours"),
    table="core.price",
    believed="source = 'bench' AND known_to IS NULL",
    is_warehouse=True,
)
LIMIT = Contender(name="limit", command=_child("limit"), table="bench.price", prepare=limit.prepare)
