"""The reviewed file: well formed, and without a row that changes nothing."""

import re
from collections import Counter

import pytest

from etl.identity.linking import CONFIDENCE, Method, link
from etl.identity.overrides import Decision, Override, overrides
from etl.identity.reading import Listed, read

CANONICAL = re.compile(r"[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9.-]*")


def _rows(decision: Decision) -> list[Override]:
    return [row for row in overrides() if row.decision is decision]


def _links(*ids: str) -> list[str | None]:
    found = {made.source: made.canonical_id for made in link([_at(number, each) for number, each in enumerate(ids)])}
    return [found[str(number)] for number in range(len(ids))]


def _at(number: int, model_id: str) -> Listed:
    return Listed(source=str(number), model_id=model_id)


def test_no_id_is_decided_twice() -> None:
    counted = Counter((row.model_id, row.decision is Decision.SEVERAL_DATES) for row in overrides())
    assert [key for key, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("row", overrides(), ids=lambda row: row.model_id)
def test_every_row_is_well_formed_and_has_a_reason(row: Override) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9.:-]*", row.model_id)
    assert row.reason.strip() == row.reason != ""
    if row.decision is Decision.SEVERAL_DATES:
        assert row.canonical_id == ""
    else:
        assert CANONICAL.fullmatch(row.canonical_id)
        assert read(_at(0, row.canonical_id)).text == row.canonical_id


@pytest.mark.parametrize("row", _rows(Decision.SAME), ids=lambda row: row.model_id)
def test_what_was_decided_to_be_the_same_is_linked_and_the_rules_alone_would_not(row: Override) -> None:
    [made] = link([_at(0, row.model_id)])
    assert made.canonical_id == row.canonical_id
    assert (made.method, made.confidence) == (Method.OVERRIDE, CONFIDENCE[Method.OVERRIDE])
    assert row.reason in made.evidence
    one, other = read(_at(0, row.model_id)), read(_at(0, row.canonical_id))
    is_apart_without_it = one.text in {separate.model_id for separate in _rows(Decision.SEPARATE)}
    assert (one.key, one.stamp) != (other.key, other.stamp) or is_apart_without_it


@pytest.mark.parametrize("row", _rows(Decision.SEPARATE), ids=lambda row: row.model_id)
def test_what_was_decided_to_be_separate_is_not_linked_and_the_rules_alone_would(row: Override) -> None:
    one, other = _links(row.model_id, row.canonical_id)
    assert one != other
    assert read(_at(0, row.model_id)).key == read(_at(0, row.canonical_id)).key


@pytest.mark.parametrize("row", _rows(Decision.SEVERAL_DATES), ids=lambda row: row.model_id)
def test_a_name_with_several_dates_is_never_one_of_them(row: Override) -> None:
    undated, dated = _links(row.model_id, f"{row.model_id}-2024-02-29")
    assert undated != dated
    other_undated, other_dated = _links(f"{row.model_id}-other", f"{row.model_id}-other-2024-02-29")
    assert other_undated == other_dated
