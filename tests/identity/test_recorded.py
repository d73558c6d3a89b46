"""Every id of the recorded catalogs: no link crosses what a much simpler reading can tell apart."""

import re
from collections import defaultdict
from datetime import date

from etl.identity.linking import Link, Method, link
from tests.identity.ids import recorded
from tests.recorded import needs_recordings

pytestmark = needs_recordings

VARIANTS = frozenset(
    re.findall(
        r"[a-z]+",
        "mini nano flash lite pro turbo batch free thinking preview fast reasoning non instruct chat base vision audio"
        " realtime search codex high low max plus ultra image tts transcribe embedding coder code distill guard opus"
        " sonnet haiku small medium large nemo exp research highspeed air tng",
    )
)
AUTHORS = {
    "zai": "z-ai",
    "alibaba": "qwen",
    "meta-llama": "meta",
    "mistral": "mistralai",
    "xai": "x-ai",
    "nous": "nousresearch",
}
AUTHORS |= {"spacex-ai": "x-ai", "amazon": "amazon", "mistral ai": "mistralai", "minimax": "minimax"}
NO_MAKERS = {"", "system", "openai-internal"}
WRONG_AUTHORS = {"hermes-2-pro-llama-3-8b": "Helicone names the maker of the weights that were tuned"}


def _by_canonical() -> tuple[dict[str, list[Link]], dict[tuple[str, str], str]]:
    latest = {(each.source, each.model_id): each for each in recorded()}
    authors = {key: each.author for key, each in latest.items()}
    groups: dict[str, list[Link]] = defaultdict(list)
    for made in link(latest.values()):
        if made.canonical_id is not None and made.method not in (Method.OVERRIDE, Method.NAME):
            groups[made.canonical_id].append(made)
    return groups, authors


def _name(model_id: str) -> str:
    """The last part, without a cloud's revision and maker."""
    last = model_id.lower().split("/")[-1]
    return re.sub(r"-v\d:0$", "", re.sub(r"^(global\.)?[a-z]+\.(?=[a-z])", "", last))


def _date(name: str) -> str | None:
    found = re.search(r"(20\d\d)-?(\d\d)-?(\d\d)", name)
    return str(date(*map(int, found.groups()))) if found else None


def _undated(name: str) -> str:
    short = r"[-](0[1-9]|1[0-2])-?([0-2]\d|3[01])$"
    return re.sub(short, "", re.sub(r"[-]?(20\d\d)-?(\d\d)-?(\d\d)", "", name))


def _variants(name: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+", name.replace("experimental", "exp"))) & VARIANTS


def _numbers(name: str) -> list[int]:
    """Every number, sizes among them, but for a final .0."""
    return sorted(int(number) for number in re.findall(r"\d+", re.sub(r"(?<=\d)\.0(?!\d)", "", _undated(name))))


def test_no_link_crosses_an_author() -> None:
    groups, authors = _by_canonical()
    for canonical_id, links in groups.items():
        told = {AUTHORS.get(said.lower(), said.lower()) for made in links if (said := _author(made, authors))}
        assert len(told) <= 1, (canonical_id, told)


def _author(made: Link, authors: dict[tuple[str, str], str]) -> str | None:
    said = authors[made.source, made.model_id]
    return None if said in NO_MAKERS or made.model_id in WRONG_AUTHORS else said


def test_no_link_crosses_a_size_a_version_a_variant_or_a_date() -> None:
    groups, _ = _by_canonical()
    assert len(groups) > 500
    for canonical_id, links in groups.items():
        names = [_name(made.model_id) for made in links]
        assert len({_date(name) for name in names if _date(name)}) <= 1, (canonical_id, names)
        assert len({_variants(name) for name in names}) == 1, (canonical_id, names)
        assert len({tuple(_numbers(name)) for name in names}) == 1, (canonical_id, names)


def test_most_models_of_the_router_are_found_elsewhere() -> None:
    groups, _ = _by_canonical()
    shared = [links for links in groups.values() if len({made.source for made in links}) > 1]
    assert len(shared) >= 100


def test_nothing_but_what_the_credit_gateway_made_itself_stays_unlinked() -> None:
    unlinked = [made for made in link(recorded()) if made.canonical_id is None]
    assert {made.model_id for made in unlinked} <= {"cmo-agent"}
