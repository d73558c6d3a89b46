"""Pairs of ids that a person labelled: nothing is linked that should not be, and little is missed that should."""

from collections.abc import Sequence

import pytest

from etl.identity.linking import link
from tests.identity.ids import Pair, labelled, pairs


@pytest.fixture(scope="module")
def linked() -> dict[tuple[str, str], str | None]:
    """Every id of the labelled pairs, linked at once: each is evidence for the others, as in a warehouse."""
    return {(made.source, made.model_id): made.canonical_id for made in link(labelled())}


def _are_one(linked: dict[tuple[str, str], str | None], pair: Pair) -> bool:
    one, other = (linked[each.source, each.model_id] for each in pair)
    return one is not None and one == other


def _told(told: Sequence[Pair]) -> str:
    return "\n".join(f"{one.model_id}  |  {other.model_id}" for one, other in told)


def test_there_are_enough_pairs_of_both_kinds() -> None:
    assert len(pairs("same")) >= 150
    assert len(pairs("different")) >= 150


def test_no_pair_is_linked_that_names_different_models(linked: dict[tuple[str, str], str | None]) -> None:
    wrong = [pair for pair in pairs("different") if _are_one(linked, pair)]
    assert not wrong, _told(wrong)


def test_nine_of_ten_pairs_that_name_one_model_are_linked(linked: dict[tuple[str, str], str | None]) -> None:
    same = pairs("same")
    missed = [pair for pair in same if not _are_one(linked, pair)]
    print(f"recall {1 - len(missed) / len(same):.3f}\n{_told(missed)}")
    assert len(missed) <= len(same) / 10, _told(missed)
