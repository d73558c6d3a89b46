"""What a link says of itself is true: judged by a much simpler reading of the two ids, and by nothing else."""

import re

from hypothesis import given
from hypothesis import strategies as st

from etl.identity.linking import Link, Method, link
from etl.identity.reading import Listed
from tests.identity.ids import labelled, recorded

REORDERED = "the same words in another order"
RULES_OF_THE_ID_ALONE = (Method.PREFIX, Method.FAMILY, Method.SPELLING, Method.WORD_ORDER)


def _worlds() -> tuple[tuple[Listed, ...], ...]:
    """The labelled ids, and the recorded ones where they are at hand: each set linked at once, as in a warehouse."""
    latest = {(each.source, each.model_id): each for each in recorded()}
    return tuple(labelled()), tuple(latest.values())


def _linked() -> list[Link]:
    return [made for world in _worlds() for made in link(world) if made.canonical_id is not None]


def _tokens(model_id: str) -> list[str]:
    """Runs of letters and of digits in the last part, without a full date, a cloud's revision and the v of versions."""
    last = model_id.lower().rstrip("/").split("/")[-1]
    last = re.sub(r"-v\d:\d$|^[a-z-]+:(?=[a-z])", "", re.sub(r"^([a-z-]+\.)?[a-z]+\.(?=[a-z])", "", last))
    undated = re.sub(r"20\d\d([-.]?)\d\d\1\d\d", "", last).replace("experimental", "exp")
    return [token for token in re.findall(r"[a-z]+|\d+", undated) if token != "v"]


def _is_reordered(made: Link) -> bool:
    """Whether what both ids hold stands in another order in the one than in the other."""
    ours, theirs = _tokens(made.model_id), _tokens(made.canonical_id or "")
    return [token for token in ours if token in theirs] != [token for token in theirs if token in ours]


def _one(number: int, model_id: str) -> Listed:
    return Listed(source=f"{number:03}", model_id=model_id)


def _name(made: Link) -> str:
    return (made.canonical_id or "").partition("/")[2]


def test_the_order_is_judged_against_the_canonical_id_and_not_against_the_order_that_most_write() -> None:
    ids = (
        "anthropic/claude-opus-4.5",
        "openrouter/anthropic/claude-opus-4.5",
        "Anthropic/Claude-4.5-Opus",
        "anthropic/claude-4-5-opus",
    )
    links = {made.model_id: made for made in link(_one(0, model_id) for model_id in ids)}
    assert {made.canonical_id for made in links.values()} == {"anthropic/claude-opus-4.5"}
    assert [links[model_id].method for model_id in ids] == ["exact", "prefix", "word order", "word order"]
    assert [REORDERED in links[model_id].evidence for model_id in ids] == [False, False, True, True]


def test_another_order_is_claimed_exactly_where_the_words_stand_in_another_order() -> None:
    reviewed = (Method.EXACT, Method.OVERRIDE)
    wrong = [
        made
        for made in _linked()
        if made.method not in reviewed and (REORDERED in made.evidence) != _is_reordered(made)
    ]
    assert not wrong
    assert all(REORDERED in made.evidence for made in _linked() if made.method is Method.WORD_ORDER)
    assert sum(made.method is Method.WORD_ORDER for made in _linked()) >= 10


def test_only_the_route_differs_where_a_link_says_so() -> None:
    links = [made for made in _linked() if made.method in (Method.PREFIX, Method.FAMILY)]
    assert len(links) >= 100
    for made in links:
        assert re.search(rf"(^|[/.:]){re.escape(_name(made))}$", made.model_id), made
        assert "reads as" not in made.evidence, made
        assert re.match(rf"made by {_maker(made)} as its (path|author) says|the name tells", made.evidence), made


def _maker(made: Link) -> str:
    """The maker of the canonical id, with or without the hyphens that some write."""
    return "-?".join((made.canonical_id or "").partition("/")[0].replace("-", ""))


def test_only_the_spelling_differs_where_a_link_says_so() -> None:
    links = [made for made in _linked() if made.method is Method.SPELLING]
    assert len(links) >= 20
    for made in links:
        assert not made.model_id.endswith(f"/{_name(made)}"), made
        quoted = re.search(r"; (.+?) (reads as|is spelled) ", made.evidence)
        assert quoted is not None, made
        assert made.model_id.endswith(quoted[1]) or quoted[2] == "is spelled", made


def test_a_link_says_the_same_whatever_else_is_listed_while_its_canonical_id_stays() -> None:
    compared = 0
    listed = {(each.source, each.model_id): each for world in _worlds() for each in world}
    for made in _linked():
        others = [_one(number, made.canonical_id or "") for number in range(3)]
        again = next(
            each
            for each in link([listed[made.source, made.model_id], *others])
            if (each.source, each.model_id) == (made.source, made.model_id)
        )
        if again.canonical_id == made.canonical_id:
            compared += 1
            assert again == made
    assert compared >= len(_linked()) * 0.95


def test_case_is_spelling_and_both_dates_of_a_name_are_named() -> None:
    [made] = link([_one(0, "azure/GPT-4o")])
    assert (made.method, made.canonical_id) == (Method.SPELLING, "openai/gpt-4o")
    assert "GPT-4o reads as openai/gpt-4o" in made.evidence
    ids = ("acme/m", "acme/m-2025-01-31", "acme/m-0131")
    _, full, short = link(_one(number, model_id) for number, model_id in enumerate(ids))
    assert (full.method, short.method, short.canonical_id) == (Method.ONLY_DATE, Method.ONLY_DATE, "acme/m")
    only = "2025-01-31 is the only date that any source lists for the name"
    assert only in full.evidence
    assert f"2025-01-31 is the only full date that 0131 can be; {only}" in short.evidence


def test_evidence_says_which_words_the_canonical_id_spells_in_another_way_and_no_more() -> None:
    many = link(_one(number, model_id) for number, model_id in enumerate(["acme/m-v2", "acme/m-2", "acme/m-2"]))
    assert many[0].evidence == "made by acme as its path says, after acme; m v2 is spelled m 2"
    dated, _ = link([_one(0, "acme/m-2025-01-31"), _one(1, "acme/m")])
    only = "2025-01-31 is the only date that any source lists for the name"
    assert dated.evidence == f"made by acme as its path says, after acme; {only}"


@st.composite
def spellings(draw: st.DrawFn) -> str:
    """Claude Opus 4.5 in some order, case, punctuation and route; the maker always stands before the name."""
    words = draw(st.permutations(["claude", "opus", draw(st.sampled_from(["4.5", "4-5", "v4.5"]))]))
    case = draw(st.sampled_from([str.lower, str.title]))
    route = draw(st.sampled_from(["", "openrouter/", "us-east-1/"]))
    return f"{route}anthropic/{case(draw(st.sampled_from('-_')).join(words))}"


@given(spellings(), st.lists(spellings()), st.lists(spellings()))
def test_what_a_link_says_depends_on_its_two_ids_alone(model_id: str, some: list[str], others: list[str]) -> None:
    def made_among(others: list[str]) -> Link:
        listed = [_one(number, other) for number, other in enumerate(others)]
        return next(made for made in link([*listed, Listed(source="it", model_id=model_id)]) if made.source == "it")

    one, other = made_among(some), made_among(others)
    assert one == other or one.canonical_id != other.canonical_id
    assert (REORDERED in one.evidence) == _is_reordered(one)
    assert one.method in (*RULES_OF_THE_ID_ALONE, Method.EXACT)
