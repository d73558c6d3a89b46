"""``etl history``: what a model cost, at every gateway and since when."""

import json
import re
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

from etl.cli.versions import _change as change
from tests.cli.conftest import Run
from tests.load.believing import load
from tests.load.worlds import World

CUT = """
demo_majestix, deepseek
  2025-11-03 ████████████████████████████████▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅ 2026-01-05
  2025-11-03 08:15  2025-12-15 19:05      784 CREDIT           0.784
  2025-12-15 19:05  last seen 2026-01-05  392 CREDIT    -50%   0.392
"""


def offers(out: str) -> list[str]:
    """The lines that name an offer."""
    return [line for line in out.splitlines() if line.startswith("demo_")]


def test_versions_and_charts_of_all_gateways_are_shown_together(etl: Run, story: None) -> None:
    del story
    ended = etl("history", "deepseek-chat")
    assert ended.status == 0
    assert ended.out.splitlines()[0] == "deepseek/deepseek-chat, listed as deepseek/deepseek-chat, deepseek-chat"
    assert "\ninput_token per 1M (█ is 0.784 USD)\n" in ended.out
    assert CUT in ended.out
    bifrost, registry, majestix, *phaseo = offers(ended.out)[:5]
    assert (bifrost, registry) == ("demo_bifrost, deepseek", "demo_helicone_registry, deepseek")
    assert (majestix, phaseo) == ("demo_majestix, deepseek", ["demo_phaseo, deepseek", "demo_phaseo, novita"])


@pytest.mark.parametrize("typed", ["openai/gpt-4o", "gpt-4o", "GPT-4o", "OpenAI/GPT-4O", " gpt-4o "])
def test_a_model_is_found_by_whatever_it_is_called(etl: Run, story: None, typed: str) -> None:
    del story
    assert json.loads(etl("history", typed, "--json").out) == json.loads(etl("history", "gpt-4o", "--json").out)


def test_an_id_of_one_source_stands_for_the_model_at_all(etl: Run, story: None) -> None:
    del story
    rows = json.loads(etl("history", "gemini/gemini-2.5-pro", "--json").out)
    assert {row["model_id"] for row in rows} == {"gemini/gemini-2.5-pro", "gemini-2.5-pro", "google/gemini-2.5-pro"}


def test_a_model_that_is_linked_with_no_other_is_found_by_its_id(etl: Run, story: None) -> None:
    del story
    ended = etl("history", "House-Assistant")
    assert ended.err == "no price of house-assistant was ever published: it is only listed, at demo_majestix\n"


def test_the_usual_meters_are_shown_and_the_others_are_told(etl: Run, story: None) -> None:
    del story
    ended = etl("history", "o1")
    assert re.findall(r"^(\w+) per 1M", ended.out, re.MULTILINE) == ["input_token", "output_token"]
    assert ended.err == (
        "without prices: demo_helicone_gateway\n"
        "other prices: cache_read_token; --meter cache_read_token shows one, --meter all every one\n"
    )


@pytest.mark.parametrize(
    ("options", "meters"),
    [
        (("--meter", "cache_read_token"), ["cache_read_token"]),
        (("--meter", "output_token", "--meter", "cache_read_token"), ["output_token", "cache_read_token"]),
        (("--meter", "all"), ["input_token", "output_token", "cache_read_token"]),
    ],
)
def test_meters_are_those_that_are_asked_for(
    etl: Run, story: None, options: tuple[str, ...], meters: list[str]
) -> None:
    del story
    ended = etl("history", "o1", *options)
    assert re.findall(r"^(\w+) per 1M", ended.out, re.MULTILINE) == meters
    assert {row["meter"] for row in json.loads(etl("history", "o1", *options, "--json").out)} == set(meters)


def test_for_programs_it_is_every_version_as_the_mart_has_it(etl: Run, story: None, story_engine: Engine) -> None:
    del story
    told = json.loads(etl("history", "deepseek-chat", "--json").out, parse_float=Decimal)
    query = """SELECT * FROM mart.price_history JOIN mart.model_link USING (source, model_id)
                WHERE canonical_id = 'deepseek/deepseek-chat'"""
    with story_engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(text(query)).mappings()]
        columns = list(connection.execute(text("SELECT * FROM mart.price_history LIMIT 0")).keys())
    assert list(told[0]) == columns
    assert {(*_key(row), Decimal(row["unit_price"])) for row in told} == {
        (*_key(row | {"valid_from": row["valid_from"].isoformat()}), row["unit_price"]) for row in rows
    }


def test_one_source_is_shown_alone(etl: Run, story: None) -> None:
    del story
    ended = etl("history", "deepseek-chat", "--source", "demo_bifrost")
    assert set(offers(ended.out)) == {"demo_bifrost, deepseek"}
    assert "in USD" not in ended.out, "there is nothing but dollars"
    assert "(█ is 0.56 USD)" in ended.out


def test_tiers_regions_and_providers_are_offers_of_their_own(etl: Run, story: None) -> None:
    del story
    names = offers(etl("history", "gemini-2.5-pro").out)
    assert "demo_helicone_registry, google-ai-studio" in names
    assert "demo_helicone_registry, google-ai-studio, from 200000 tokens" in names
    assert "demo_helicone_registry, azure, eastus" in offers(etl("history", "gpt-4o").out)


def test_a_model_that_was_gone_has_a_gap(etl: Run, story: None) -> None:
    del story
    out = etl("history", "o1", "--meter", "input_token").out
    assert re.search(r"2025-11-03 █{21} {26}█ 2026-01-05", out)
    assert "2026-01-05 10:20  last seen 2026-01-05  15 USD    same" in out


def test_free_and_dynamic_are_words_and_have_marks(etl: Run, story: None) -> None:
    del story
    assert re.search(r"▁{48}.*\n.* last seen \S+ +free\n", etl("history", "z-ai/glm-4.5-flash").out)
    assert re.search(r"~{48}.*\n.* last seen \S+ +varies\n", etl("history", "openrouter/auto").out)


def test_a_currency_without_a_rate_has_a_scale_of_its_own(etl: Run, story: None) -> None:
    del story
    out = etl("history", "mistral-small-3.2").out
    assert "(█ is 0.1 USD, 0.15 EUR)" in out
    assert "█▇ 2026-01-05" in out


def test_a_model_without_prices_is_one_line(etl: Run, story: None) -> None:
    del story
    asked = ("history", "gpt-4o", "--source", "demo_helicone_gateway")
    ended = etl(*asked)
    assert (ended.status, ended.out) == (0, "")
    said = "no price of gpt-4o was ever published: it is only listed, at demo_helicone_gateway\n"
    assert ended.err == said
    assert json.loads(etl(*asked, "--json").out) == []


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("deepseek-chad",), "no model deepseek-chad; did you mean deepseek-chat or deepseek/deepseek-chat?"),
        (("quite another thing",), "no model quite another thing; there are "),
        (
            ("o1", "--source", "demo_majestix"),
            "demo_majestix never listed o1; demo_helicone_gateway, demo_helicone_reg",
        ),
        (("o1", "--source", "demo_majesti"), "no source demo_majesti; did you mean demo_majestix?"),
        (("o1", "--meter", "input_tokn"), "no meter input_tokn; did you mean input_token?"),
        (("o1", "--meter", "web_search"), "no meter web_search; there is input_token, output_token, cache_read_token"),
    ],
)
def test_what_nobody_knows_is_one_line_and_a_status(etl: Run, story: None, typed: tuple[str, ...], said: str) -> None:
    del story
    ended = etl("history", *typed)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"etl: {said}")
    assert ended.err.count("\n") == 1


def test_an_empty_warehouse_says_what_to_do(etl: Run, warehouse: Engine) -> None:
    del warehouse
    ended = etl("history", "gpt-4o")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("etl: no model gpt-4o: there are none yet; `etl run` takes a snapshot")


def _key(row: dict[str, object]) -> tuple[object, ...]:
    parts = ("source", "model_id", "provider", "region", "plan", "meter", "tier_start", "valid_from")
    return tuple(row[part] for part in parts)


def test_a_price_is_drawn_until_its_source_was_last_seen(etl: Run, warehouse: Engine) -> None:
    one = World({"openai/gpt-4o": ("m", {"prompt": "0.000001"})})
    for source, days in (("old", (0, 1)), ("new", (0, 8))):
        for number in days:
            load(warehouse, source, number, one)
    out = etl("history", "gpt-4o").out
    assert re.search(
        r"new, openai\n  2026-01-01 █{48} 2026-01-09\n  2026-01-01 00:00  last seen 2026-01-09 +1 USD", out
    )
    assert re.search(
        r"old, openai\n  2026-01-01 █{6} {42} 2026-01-09\n  2026-01-01 00:00  last seen 2026-01-02 +1 USD", out
    )


def test_there_is_no_percentage_from_one_currency_to_another() -> None:
    euros = {"unit_price": Decimal(2), "currency": "EUR"}
    assert (change(euros, euros | {"unit_price": Decimal(1)}), change(euros, euros | {"currency": "USD"})) == (
        "-50%",
        "",
    )
