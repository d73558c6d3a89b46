"""The demo's story: all of it loads, everything it tells can be seen, and telling it twice changes nothing."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, text

from etl.demo.story import QUESTIONS, SNAPSHOTS, STEPS, Question, play, sources
from etl.pipeline import Pipeline
from tests.demo.conftest import Played, told
from tests.dump import dump

FIRST, SECOND, THIRD, FOURTH, FIFTH = (str(step.date()) for step in STEPS)


def price_changes(played: Played, source: str, model_id: str, meter: str = "input_token") -> list[Any]:
    """The changes of one model's price: day, change, old and new price of a million units as text."""
    rows = played.rows(
        "SELECT changed_at::date::text AS day, change, trim_scale(old_unit_price * 1000000)::text AS old,"
        " trim_scale(new_unit_price * 1000000)::text AS new FROM mart.price_change"
        " WHERE source = :source AND model_id = :model AND meter = :meter"
        " ORDER BY changed_at, provider, tier_start",
        source=f"demo_{source}",
        model=model_id,
        meter=meter,
    )
    return [tuple(row.values()) for row in rows]


def catalog_changes(played: Played, source: str, model_id: str) -> list[Any]:
    """When one model came, went or returned."""
    rows = played.rows(
        "SELECT changed_at::date::text AS day, change FROM mart.catalog_change"
        " WHERE source = :source AND model_id = :model AND entity = 'model' AND change <> 'changed'"
        " ORDER BY changed_at",
        source=f"demo_{source}",
        model=model_id,
    )
    return [tuple(row.values()) for row in rows]


def test_every_snapshot_loads_and_nothing_is_set_aside(played: Played) -> None:
    assert len(played.results) == SNAPSHOTS
    assert [result for result in played.results if not result.is_well or result.error] == []
    assert {(result.quarantined, result.unmapped) for result in played.results} == {(0, 0)}


def test_history_is_dated_by_the_story_and_known_from_now(played: Played) -> None:
    [row] = played.rows("SELECT min(valid_from) AS dated, min(known_from) AS known FROM mart.price_history")
    assert row["dated"] == STEPS[0]
    assert row["known"] > STEPS[-1]


def test_phaseo_comes_in_pages(played: Played) -> None:
    rows = played.rows(
        "SELECT count(*) AS pages FROM raw.page JOIN raw.snapshot USING (snapshot_id)"
        " WHERE source = 'demo_phaseo' GROUP BY snapshot_id"
    )
    assert [row["pages"] for row in rows] == [3] * len(STEPS)


def test_a_catalog_that_was_not_modified_costs_no_body(played: Played) -> None:
    rows = played.rows(
        "SELECT observed_at::date::text AS day FROM raw.page JOIN raw.snapshot USING (snapshot_id) WHERE status = 304"
    )
    assert [row["day"] for row in rows] == [FOURTH]


@pytest.mark.parametrize(
    ("source", "day"),
    [("helicone_gateway", SECOND), ("majestix", SECOND), ("majestix", THIRD), ("helicone_registry", FOURTH)],
)
def test_a_list_in_another_order_or_spelling_is_no_change(played: Played, source: str, day: str) -> None:
    [status] = [
        result.status
        for result in played.results
        if result.source == f"demo_{source}" and str(result.observed_at).startswith(day)
    ]
    assert status == "unchanged"


@pytest.mark.parametrize(
    ("source", "model_id", "story"),
    [
        ("bifrost", "deepseek/deepseek-chat", [(SECOND, "decreased", "0.56", "0.28")]),
        ("helicone_registry", "deepseek-chat", [(THIRD, "decreased", "0.56", "0.28")]),
        ("phaseo", "deepseek/deepseek-chat", [(THIRD, "decreased", "0.56", "0.28")]),
        ("majestix", "deepseek-chat", [(FOURTH, "decreased", "784", "392")]),
        ("majestix", "grok-4-fast", [(FIFTH, "increased", "280", "320")]),
        ("majestix", "claude-sonnet-4-5", []),
        ("bifrost", "mistral/mistral-large-latest", [(FOURTH, "decreased", "2", "0.5")]),
        ("helicone_registry", "gemini-2.5-pro", [(SECOND, "added", None, "2.5")]),
        (
            "bifrost",
            "openrouter/x-ai/grok-4.1-fast",
            [(THIRD, "added", None, "0"), (FOURTH, "increased", "0", "0.2")],
        ),
        ("phaseo", "mistral/mistral-small-3.2", [(FIFTH, "decreased", "0.15", "0.12")]),
    ],
)
def test_the_story_is_told_in_prices(played: Played, source: str, model_id: str, story: list[Any]) -> None:
    assert price_changes(played, source, model_id) == story


@pytest.mark.parametrize(
    ("source", "model_id", "story"),
    [
        ("helicone_registry", "claude-3-opus", [(FIFTH, "went")]),
        ("bifrost", "anthropic/claude-3-opus", [(FIFTH, "went")]),
        ("helicone_registry", "o1", [(THIRD, "went"), (FIFTH, "returned")]),
        ("helicone_gateway", "o1", [(THIRD, "went"), (FOURTH, "returned")]),
        ("bifrost", "anthropic/claude-opus-4-5", [(THIRD, "came")]),
        ("majestix", "claude-opus-4-5", [(FOURTH, "came")]),
        ("bifrost", "groq/llama-3.3-70b-versatile", []),
    ],
)
def test_the_story_is_told_in_models(played: Played, source: str, model_id: str, story: list[Any]) -> None:
    assert catalog_changes(played, source, model_id) == story


def test_the_added_tier_costs_more_from_200000_tokens_on(played: Played) -> None:
    rows = played.rows(
        "SELECT provider, tier_start, tier_end, usd_per_million::text AS usd FROM mart.price_current"
        " WHERE source = 'demo_helicone_registry' AND model_id = 'gemini-2.5-pro' AND meter = 'input_token'"
        " AND provider = 'google-ai-studio' ORDER BY tier_start"
    )
    assert [(row["tier_start"], row["tier_end"], row["usd"]) for row in rows] == [
        (0, 200000, "1.25"),
        (200000, None, "2.5"),
    ]


def test_a_cut_that_is_taken_back_is_a_reversal(played: Played) -> None:
    rows = played.rows(
        "SELECT changed_at::date::text AS day, change, is_reversal, is_suspect FROM mart.price_change"
        " WHERE source = 'demo_phaseo' AND provider = 'together' AND meter = 'input_token' ORDER BY changed_at"
    )
    assert [tuple(row.values()) for row in rows] == [
        (SECOND, "decreased", False, False),
        (THIRD, "increased", True, False),
    ]


def test_a_slip_of_a_zero_is_suspect_and_its_correction_is_none(played: Played) -> None:
    rows = played.rows(
        "SELECT changed_at::date::text AS day, ratio::text, is_suspect, is_reversal FROM mart.price_change"
        " WHERE model_id = 'gemini/gemini-2.5-flash-lite' AND meter = 'output_token' ORDER BY changed_at"
    )
    assert [tuple(row.values()) for row in rows] == [(THIRD, "10", True, False), (FOURTH, "0.1", False, True)]


def test_a_provider_that_failed_ends_nothing(played: Played) -> None:
    rows = played.rows(
        "SELECT is_complete, reason FROM mart.snapshot WHERE source = 'demo_bifrost' ORDER BY observed_at"
    )
    assert [row["is_complete"] for row in rows] == [True, True, True, False, True]
    assert "groq failed" in rows[3]["reason"]
    ended = played.rows("SELECT 1 FROM mart.price_change WHERE provider = 'groq' AND change IN ('added', 'removed')")
    assert ended == []


def test_free_dynamic_credit_and_euro_are_four_different_things(played: Played) -> None:
    rows = played.rows(
        "SELECT model_id, price_state, currency, unit_price::text, unit_price_usd::text FROM mart.price_current"
        " WHERE meter = 'input_token' AND (source, model_id, provider) IN"
        " (('demo_bifrost', 'openrouter/openrouter/auto', 'openrouter'), ('demo_phaseo', 'z-ai/glm-4.5-flash', 'z-ai'),"
        "  ('demo_majestix', 'gpt-4o', 'openai'), ('demo_phaseo', 'qwen/qwen3-235b-a22b-2507', 'scaleway'))"
        " ORDER BY price_state, model_id"
    )
    assert [tuple(row.values())[1:] for row in rows] == [
        ("dynamic", "USD", None, None),
        ("free", "USD", "0", "0"),
        ("priced", "CREDIT", "0.0035", "0.0000035"),
        ("priced", "EUR", "0.00000075", None),
    ]


def test_a_custom_model_without_costs_is_listed_and_not_free(played: Played) -> None:
    assert catalog_changes(played, "majestix", "house-assistant") == []
    assert played.rows("SELECT 1 FROM mart.model_current WHERE model_id = 'house-assistant'")
    assert played.rows("SELECT 1 FROM mart.price_history WHERE model_id = 'house-assistant'") == []


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.title)
def test_every_question_is_answered_in_a_few_rows(played: Played, question: Question) -> None:
    rows = played.rows(question.sql)
    assert 1 <= len(rows) <= 8
    assert len(rows[0]) <= 6


def test_the_models_of_the_story_are_linked_across_its_gateways(played: Played) -> None:
    rows = played.rows("SELECT sources FROM mart.canonical_model WHERE canonical_id = 'openai/gpt-4o'")
    assert [row["sources"] for row in rows] == [5]
    unlinked = played.rows("SELECT model_id FROM mart.model_link WHERE canonical_id IS NULL")
    assert [row["model_id"] for row in unlinked] == ["house-assistant"]


@pytest.mark.slow
def test_the_story_told_twice_changes_no_row(engine: Engine) -> None:
    first = told(engine)
    before = dump(engine)
    second = told(engine)
    assert [result.snapshot_id for result in second] == [result.snapshot_id for result in first]
    assert {change for result in second for change in result.changes} == set()
    assert dump(engine) == before


@pytest.mark.slow
def test_the_story_breaks_off_and_goes_on_where_it_was(engine: Engine) -> None:
    telling = play(Pipeline(engine, lambda: datetime.now(UTC)))
    for _ in range(7):
        next(telling)
    telling.close()
    assert all(result.is_well for result in told(engine))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM mart.snapshot")) == SNAPSHOTS


def test_its_sources_bear_names_that_no_real_source_has(played: Played) -> None:
    names = {row["source"] for row in played.rows("SELECT source FROM mart.snapshot")}
    assert names == {source.name for source in sources()}
    assert all(name.startswith("demo_") for name in names)
