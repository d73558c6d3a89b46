"""What is loaded, one body after the other, and how each differs from the one before it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks._speed import catalog, change, flat

FIRST = "first load"
REORDERED = "unchanged, other order"
SAME = "unchanged, same bytes"
SMALL = "1 % changed"
LARGE = "10 % changed"

SHARES = {SMALL: 100, LARGE: 10}
"""One price in so many changes."""

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One body to load, as a file, and its prices as lines for those who are fed with rows."""

    name: str
    body: Path
    rows: Path
    size: int
    observed_at: datetime
    prices: int
    changed: int


def steps(prices: int, folder: Path) -> list[Step]:
    """The bodies of a catalog of so many prices, written into the folder, in the order in which they are loaded."""
    return [
        _step(number, name, content, folder, (prices, prices // SHARES[name] if name in SHARES else 0))
        for number, (name, content) in enumerate(_bodies(prices))
    ]


def _bodies(prices: int) -> Iterator[tuple[str, catalog.Body]]:
    body = catalog.generate(prices)
    yield FIRST, body
    body = change.reordered(body, seed=1)
    yield REORDERED, body
    yield SAME, body
    for seed, (name, share) in enumerate(SHARES.items(), 2):
        body = change.repriced(body, prices // share, seed)
        yield name, body


def _step(number: int, name: str, content: catalog.Body, folder: Path, counts: tuple[int, int]) -> Step:
    encoded = content.encoded()
    body, rows = folder / f"{number}.json", folder / f"{number}.tsv"
    body.write_bytes(encoded)
    with rows.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(flat.lines(encoded))
    return Step(
        name=name,
        body=body,
        rows=rows,
        size=len(encoded),
        observed_at=_BEGIN + timedelta(hours=number),
        prices=counts[0],
        changed=counts[1],
    )
