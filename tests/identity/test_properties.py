"""What holds for every name: noise changes no link, and what makes another model always changes it."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from etl.identity.linking import CONFIDENCE, Link, Method, link
from etl.identity.reading import Listed

MODELS = {
    "openai/gpt-4.1-mini": "gpt-4.1-mini",
    "openai/o3-pro": "o3-pro",
    "anthropic/claude-opus-4.5": "claude-opus-4.5",
    "anthropic/claude-3.5-haiku": "claude-3.5-haiku",
    "google/gemini-2.5-flash-lite": "gemini-2.5-flash-lite",
    "meta/llama-3.3-70b-instruct": "llama-3.3-70b-instruct",
    "mistralai/mixtral-8x7b-instruct-v0.1": "mixtral-8x7b-instruct-v0.1",
    "qwen/qwen3-30b-a3b": "qwen3-30b-a3b",
    "deepseek/deepseek-v3.1": "deepseek-v3.1",
    "moonshotai/kimi-k2.5": "kimi-k2.5",
    "z-ai/glm-4.5-air": "glm-4.5-air",
    "x-ai/grok-4.1-fast": "grok-4.1-fast",
}
ROUTES = (
    "",
    "openrouter/",
    "azure/",
    "vertex_ai/",
    "groq/",
    "@cf/",
    "accounts/fireworks/models/",
    "us-east-1/",
    "models/",
)
SPELLED_MAKERS = {
    "meta": "meta-llama",
    "mistralai": "mistral",
    "qwen": "Alibaba",
    "deepseek": "deepseek-ai",
    "z-ai": "zai-org",
    "x-ai": "xAI",
}
SIZES, VARIANTS = (
    ("1b", "7b", "72b", "671b"),
    ("mini", "nano", "flash", "turbo", "preview", "thinking", "fp8", "vision"),
)
TAGS, DATES = ("free", "thinking", "nitro", "extended", "beta"), ("2024-05-13", "2024-08-06", "2025-11-20")

models = st.sampled_from(sorted(MODELS))


def _one(source: str, model_id: str, author: str = "") -> Listed:
    return Listed(source=source, model_id=model_id, author=author)


def _are_one(one: str, other: str) -> bool:
    first, second = link([_one("a", one), _one("b", other)])
    return first.canonical_id == second.canonical_id is not None


@st.composite
def noisy(draw: st.DrawFn, canonical_id: str) -> str:
    """The same id as another gateway may write it."""
    vendor, name = canonical_id.partition("/")[0], MODELS[canonical_id]
    maker = draw(st.sampled_from(["", f"{vendor}/", f"{SPELLED_MAKERS.get(vendor, vendor)}/"]))
    separator = draw(st.sampled_from(["-", "_", " "]))
    point = draw(st.sampled_from([".", "-", "p"]))
    spelled = name.replace("-", separator).replace(".", separator if point == "-" else point)
    case = draw(st.sampled_from([str.upper, str.lower, str.title]))
    return draw(st.sampled_from(ROUTES)) + maker + case(spelled)


@given(st.data())
def test_case_separators_routes_and_makers_spellings_change_no_link(data: st.DataObject) -> None:
    model = data.draw(models)
    other = data.draw(noisy(model))
    assert _are_one(model, other), other


@given(models, st.sampled_from(SIZES), st.sampled_from(VARIANTS), st.sampled_from(TAGS))
def test_a_size_a_variant_or_a_tag_always_makes_another_model(model: str, size: str, variant: str, tag: str) -> None:
    for other in (f"{model}-{size}", f"{model}-{variant}", f"{model}:{tag}", f"{model}-{variant}-{size}"):
        assert not _are_one(model, other), other
        assert _are_one(other, f"openrouter/{other.upper()}")


@given(models, st.permutations(DATES))
def test_another_date_always_makes_another_model(model: str, dates: list[str]) -> None:
    one, other, _ = dates
    assert not _are_one(f"{model}-{one}", f"{model}-{other}")
    assert _are_one(f"{model}-{one}", f"azure/{model}@{one.replace('-', '')}")


@given(models, st.sampled_from(["0613", "1106", "2411", "09-05", "08-2024"]))
def test_a_short_date_is_never_dropped(model: str, date: str) -> None:
    assert not _are_one(model, f"{model}-{date}")


@given(models, models)
def test_two_models_are_never_one(one: str, other: str) -> None:
    assert _are_one(one, other) == (one == other)


@given(st.sampled_from(["llama-3.3-70b-instruct", "qwen3-30b-a3b", "mistral-small", "assistant", "deepseek-v3.1"]))
def test_a_maker_that_nobody_knows_is_another_maker(name: str) -> None:
    assert not _are_one(f"acme/{name}", f"umbrella/{name}")
    assert not _are_one(f"acme/{name}", name)


@st.composite
def catalogs(draw: st.DrawFn) -> list[Listed]:
    """Models of three gateways, with dates, tags and authors."""
    chosen = st.tuples(
        st.sampled_from("abc"), models.flatmap(noisy), st.sampled_from(["", *[f"-{day}" for day in DATES]])
    )
    return [_one(source, model + date) for source, model, date in draw(st.lists(chosen, max_size=30))]


@given(catalogs(), st.randoms(use_true_random=False))
def test_links_depend_on_the_set_and_not_on_its_order(listed: list[Listed], random: st.DataObject) -> None:
    shuffled = [*listed, *listed[:3]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert link(shuffled) == link(listed)


@given(catalogs())
def test_every_model_gets_one_link_as_sure_as_its_weakest_step(listed: list[Listed]) -> None:
    links = link(listed)
    assert [(made.source, made.model_id) for made in links] == sorted({(one.source, one.model_id) for one in listed})
    assert all(made.confidence == CONFIDENCE[made.method] and made.evidence for made in links)


@given(catalogs())
def test_linking_what_is_canonical_links_it_to_itself(listed: list[Listed]) -> None:
    canonical = {made.canonical_id for made in link(listed) if made.canonical_id is not None}
    again = link([_one("again", canonical_id) for canonical_id in canonical])
    assert all(_is_itself(made, canonical) for made in again)


def _is_itself(made: Link, canonical: set[str]) -> bool:
    """Exact, or a dated name whose undated one is canonical as well."""
    return made.method is Method.EXACT or (made.method is Method.ONLY_DATE and made.canonical_id in canonical)


def test_what_is_in_one_source_twice_with_different_words_for_its_author_is_read_once_each() -> None:
    listed = _one("a", "gpt-4o")
    assert link([listed, replace(listed)]) == link([listed])
