"""Reads the worked examples of docs/history.md: small tables, their columns two spaces or more apart.

A price ``a=1`` is that of model ``a`` for one input token; ``day 3`` is a moment, and so is ``-``, which is none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from etl.domain.snapshot import Origin, Page, Snapshot
from tests.load.worlds import BAD, World, body, moment

DOCUMENT = Path(__file__).parents[2] / "docs" / "history.md"
PROVIDER = "openai"

Row = dict[str, str]


@dataclass(frozen=True)
class Example:
    """One fenced block: its line in the document, the section it stands in, and its tables by their first column."""

    line: int
    section: str
    tables: dict[str, list[Row]]

    def __str__(self) -> str:
        return f"{self.section} (line {self.line})"

    def rows(self, table: str) -> list[Row]:
        """The rows of a table; empty where the example has no such table."""
        return self.tables.get(table, [])


def examples() -> Iterator[Example]:
    """Every example, in the order of the document."""
    section, start = "", 0
    block: list[str] | None = None
    for number, line in enumerate(DOCUMENT.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif line == "```history":
            block, start = [], number
        elif line == "```" and block is not None:
            yield Example(start, section, dict(_tables("\n".join(block))))
            block = None
        elif block is not None:
            block.append(line)


def _tables(block: str) -> Iterator[tuple[str, list[Row]]]:
    for part in block.split("\n\n"):
        header, *lines = (re.split(r" {2,}", line.strip()) for line in part.splitlines())
        yield header[0], [dict(zip(header, line, strict=True)) for line in lines]


def snapshot(row: Row) -> Snapshot:
    """The snapshot that a line describes, as a Bifrost gateway would show it."""
    at = time(row["observed"])
    page = Page(number=1, url=f"{row['observed']}.json", status=200, body=body(_world(row["shows"])), fetched_at=at)
    return Snapshot(source="s", kind="bifrost", observed_at=at, origin=Origin(row["origin"]), pages=(page,))


def _world(shown: str) -> World:
    listed, _, remark = shown.partition(" (")
    prices = {} if listed == "-" else dict(price.split("=") for price in listed.split())
    assert remark in ("", "a page is missing)", "a record without id)"), remark
    assert all(text == BAD or Decimal(text) for text in prices.values()), shown
    return World(
        {f"{PROVIDER}/{model}": (model, {"prompt": text}) for model, text in prices.items()},
        is_whole=remark != "a page is missing)",
        garbage=remark == "a record without id)",
    )


def time(label: str) -> datetime:
    """The moment that a label means."""
    return moment(int(label.removeprefix("day ")))


def label(at: datetime | None) -> str:
    """How a moment is written."""
    if at is None:
        return "-"
    days = at - moment(0)
    assert at == moment(days.days), f"{at} is between two days"
    return f"day {days.days}"


def price(model_id: str, unit_price: Decimal) -> str:
    """How a price is written."""
    return f"{model_id.removeprefix(PROVIDER + '/')}={unit_price:f}"
