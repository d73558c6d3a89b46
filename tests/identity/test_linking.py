"""The rules one by one, where labelled pairs would not notice that one of them is missing."""

import pytest

from etl.identity.linking import Link, Method, link
from etl.identity.reading import Listed


def links(*ids: str, author: str = "", name: str = "") -> list[Link]:
    """The links of ids that are listed together, each by a source of its own, in the order given."""
    listed = [
        Listed(source=f"{number:03}", model_id=model_id, author=author, name=name)
        for number, model_id in enumerate(ids)
    ]
    return list(link(listed))


def canonical(*ids: str, author: str = "", name: str = "") -> list[str | None]:
    return [made.canonical_id for made in links(*ids, author=author, name=name)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("acme/text-to-image", "acme/image-to-text"),
        ("nousresearch/hermes-2-pro-llama-3-8b", "nousresearch/hermes-3-pro-llama-2-8b"),
        ("acme/draft-8b-for-70b", "acme/draft-70b-for-8b"),
        ("x-ai/grok-4-fast-non-reasoning", "x-ai/grok-4-non-fast-reasoning"),
    ],
)
def test_the_order_of_words_counts_where_it_carries_the_meaning(one: str, other: str) -> None:
    first, second = canonical(one, other)
    assert first != second


def test_the_order_of_words_does_not_count_elsewhere() -> None:
    first, second = links("inclusionai/ling-flash-2.0", "inclusionai/ling-2.0-flash")
    assert first.canonical_id == second.canonical_id
    assert {first.method, second.method} == {Method.EXACT, Method.WORD_ORDER}


def test_a_date_is_the_undated_name_while_it_is_the_only_one() -> None:
    assert canonical("acme/m", "acme/m-2025-01-31") == ["acme/m", "acme/m"]
    dated = canonical("acme/m", "acme/m-2025-01-31", "acme/m-2025-06-30")
    assert dated == ["acme/m", "acme/m-2025-01-31", "acme/m-2025-06-30"]


def test_a_short_date_that_no_full_one_explains_makes_a_second_date() -> None:
    assert canonical("acme/m", "acme/m-2025-01-31", "acme/m-0905") == ["acme/m", "acme/m-2025-01-31", "acme/m-0905"]


def test_an_undated_name_stays_undated_however_many_write_its_only_date_short() -> None:
    assert set(canonical("acme/m", "acme/m-2025-01-31", "acme/m-0131", "x/acme/m-0131", "acme/M-0131")) == {"acme/m"}


@pytest.mark.parametrize(
    ("undated", "dated", "expected"),
    [
        ("cohere/command-a", "cohere/command-a-03-2025", "cohere/command-a"),
        ("x-ai/grok-4", "xai/grok-4-0709", "x-ai/grok-4"),
        ("moonshotai/kimi-k2", "moonshotai/kimi-k2-0905", "moonshotai/kimi-k2-0905"),
        ("qwen/qwen3-235b-a22b", "qwen/qwen3-235b-a22b-2507", "qwen/qwen3-235b-a22b-2507"),
        ("acme/m", "acme/m-0905", "acme/m-0905"),
    ],
)
def test_a_short_date_alone_is_left_out_only_where_a_person_decided_so(undated: str, dated: str, expected: str) -> None:
    assert canonical(undated, dated) == [undated, expected]


def test_a_dated_id_without_an_undated_one_keeps_its_date() -> None:
    assert canonical("acme/m@20250131", "acme/M-2025-01-31") == ["acme/m-2025-01-31"] * 2


@pytest.mark.parametrize("short", ["0613", "06-13", "2306", "06-2023"])
def test_a_short_date_is_the_one_full_date_of_which_it_is_true(short: str) -> None:
    assert set(canonical(f"acme/m-{short}", "acme/m-2023-06-13", "acme/m-2024-11-01")) == {
        "acme/m-2023-06-13",
        "acme/m-2024-11-01",
    }


def test_a_short_date_of_which_two_full_ones_may_be_true_stays_as_it_is() -> None:
    found = canonical("acme/m-0613", "acme/m-2023-06-13", "acme/m-2024-06-13")
    assert found == ["acme/m-0613", "acme/m-2023-06-13", "acme/m-2024-06-13"]


def test_what_looks_like_a_date_and_is_none_stays_a_word() -> None:
    ids = ["acme/m", "acme/m-20251399", "acme/m-20250231", "acme/m-8192", "acme/m-32768"]
    assert canonical(*ids) == ids


@pytest.mark.parametrize(
    ("model_id", "author", "expected"),
    [
        ("hermes-2-pro-llama-3-8b", "meta-llama", "nousresearch/hermes-2-pro-llama-3-8b"),
        ("llama-3.1-nemotron-70b-instruct", "", "nvidia/llama-3.1-nemotron-70b-instruct"),
        ("austism/chronos-hermes-13b", "", "austism/chronos-hermes-13b"),
        ("deepseek-r1-distill-llama-70b", "DeepSeek / Meta", "deepseek/deepseek-r1-distill-llama-70b"),
        ("r1-distill-qwen-32b", "", "deepseek/deepseek-r1-distill-qwen-32b"),
        ("gpt-4o", "system", "openai/gpt-4o"),
        ("gpt-4o", "acme", "acme/gpt-4o"),
        ("gpt-j-6b", "", "eleutherai/gpt-j-6b"),
        ("assistant", "groq", "groq/assistant"),
        ("assistant", "", None),
        ("azure/my-prod-deployment", "", None),
        ("nova-2", "", None),
        ("nova-2-lite", "", "amazon/nova-2-lite"),
    ],
)
def test_a_model_belongs_to_its_maker(model_id: str, author: str, expected: str | None) -> None:
    assert canonical(model_id, author=author) == [expected]


@pytest.mark.parametrize(
    ("model_id", "name", "expected"),
    [
        ("claude-opus", "Claude Opus 4.6", "anthropic/claude-opus-4.6"),
        ("claude-opus", "Anthropic: Claude Opus 4.6", "anthropic/claude-opus-4.6"),
        ("claude-opus", "Claude Opus 4.6 Fast", "anthropic/claude-opus"),
        ("claude-opus", "Claude Sonnet 4.6", "anthropic/claude-opus"),
        ("claude-opus-4", "Claude Opus 4 6", "anthropic/claude-opus-4"),
        ("claude-opus", "Our best", "anthropic/claude-opus"),
        ("mistral-small", "Mistral Small 24B", "mistralai/mistral-small"),
    ],
)
def test_a_name_tells_the_version_and_nothing_else(model_id: str, name: str, expected: str) -> None:
    [made] = links(model_id, name=name)
    assert made.canonical_id == expected
    assert (made.method is Method.NAME) == (expected != f"anthropic/{model_id}" and "claude" in expected)


@pytest.mark.parametrize(
    ("model_id", "expected"),
    [
        ("claude-3-5-haiku-latest", "anthropic/claude-3.5-haiku"),
        ("gpt-5-chat-latest", "openai/gpt-5-chat"),
        ("codex-mini-latest", "openai/codex-mini"),
        ("chatgpt-4o-latest", "openai/chatgpt-4o-latest"),
        ("mistral-large-latest", "mistralai/mistral-large-latest"),
        ("gemini-1.5-pro-latest", "google/gemini-1.5-pro-latest"),
        ("qwen-plus-latest", "qwen/qwen-plus-latest"),
    ],
)
def test_latest_is_left_out_where_the_undated_name_means_the_same(model_id: str, expected: str) -> None:
    [made] = links(model_id)
    assert (made.canonical_id, made.method is Method.FLOATING) == (expected, not expected.endswith("latest"))


@pytest.mark.parametrize("model_id", ["", "/", "openai/", "--", "🦙", ":free", "@cf/", "2025-01-31", "us.", "a" * 5000])
def test_whatever_an_id_is_it_gets_a_link_or_a_reason(model_id: str) -> None:
    [made] = links(model_id)
    assert (made.canonical_id is None) == (made.method is Method.UNLINKED)
    assert made.evidence


def test_the_spelling_that_most_sources_use_becomes_the_id() -> None:
    many = canonical("acme/fast-m-v2.0", "acme/m-fast-2", "acme/m-fast-2")
    assert set(many) == {"acme/m-fast-2"}
