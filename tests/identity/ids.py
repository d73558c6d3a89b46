"""The ids that tests look at: those of the labelled pairs, and those of recorded catalogs where they lie at hand."""

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from etl.backfill import snapshots
from etl.identity.reading import Listed
from etl.sources.registry import kinds
from tests.recorded import CATALOGS

Pair = tuple[Listed, Listed]


@cache
def pairs(verdict: str) -> tuple[Pair, ...]:
    """The pairs that a person labelled ``same`` or ``different``."""
    with (Path(__file__).parent / "pairs.csv").open(encoding="utf-8") as file:
        return tuple(
            (_labelled(row["one"], row["one_author"]), _labelled(row["other"], row["other_author"]))
            for row in csv.DictReader(file)
            if row["verdict"] == verdict
        )


def _labelled(model_id: str, author: str) -> Listed:
    """The id in a source of its own for each author that goes with it."""
    return Listed(source=author or "-", model_id=model_id, author=author)


def labelled() -> frozenset[Listed]:
    """Every id of the labelled pairs."""
    return frozenset(each for verdict in ("same", "different") for pair in pairs(verdict) for each in pair)


@cache
def recorded() -> tuple[Listed, ...]:
    """Every model of every recorded body, in the order of time; none where no recordings are."""
    return tuple(_read())


def _read() -> Iterator[Listed]:
    for kind, source in kinds().items():
        if (CATALOGS / kind).is_dir():
            for snapshot in snapshots(kind, kind, [CATALOGS / kind]):
                for model in source(kind).read(snapshot.pages).models:
                    yield Listed(source=kind, model_id=model.model_id, author=model.author or "", name=model.name or "")
