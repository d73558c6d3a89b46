"""Pairs of ids that a person labelled: nothing is linked that should not be, and little is missed that should."""

import csv
from pathlib import Path

import pytest

from etl.identity.linking import link
from etl.identity.reading import Listed

Pair = tuple[Listed, Listed]


def _pairs(verdict: str) -> list[Pair]:
    with (Path(__file__).parent / "pairs.csv").open(encoding="utf-8") as file:
        return [
            (_listed(row["one"], row["one_author"]), _listed(row["other"], row["other_author"]))
            for row in csv.DictReader(file)
            if row["verdict"] == verdict
        ]


def _listed(model_id: str, author: str) -> Listed:
    """The id in a source of its own for each author that goes with it."""
    return Listed(source=author or "-", model_id=model_id, author=author)


@pytest.fixture(scope="module")
def linked() -> dict[tuple[str, str], str | None]:
    """Every id of the labelled pairs, linked at once: each is evidence for the others, as in a warehouse."""
    listed = {each for verdict in ("same", "different") for pair in _pairs(verdict) for each in pair}
    return {(made.source, made.model_id): made.canonical_id for made in link(listed)}


def _are_one(linked: dict[tuple[str, str], str | None], pair: Pair) -> bool:
    one, other = (linked[each.source, each.model_id] for each in pair)
    return one is not None and one == other


def _told(pairs: list[Pair]) -> str:
    return "\n".join(f"{one.model_id}  |  {other.model_id}" for one, other in pairs)


def test_there_are_enough_pairs_of_both_kinds() -> None:
    assert len(_pairs("same")) >= 150
    assert len(_pairs("different")) >= 150


def test_no_pair_is_linked_that_names_different_models(linked: dict[tuple[str, str], str | None]) -> None:
    wrong = [pair for pair in _pairs("different") if _are_one(linked, pair)]
    assert not wrong, _told(wrong)


def test_nine_of_ten_pairs_that_name_one_model_are_linked(linked: dict[tuple[str, str], str | None]) -> None:
    same = _pairs("same")
    missed = [pair for pair in same if not _are_one(linked, pair)]
    print(f"recall {1 - len(missed) / len(same):.3f}\n{_told(missed)}")
    assert len(missed) <= len(same) / 10, _told(missed)
