"""A price is judged beside what others ask, the correction never, and a person has the last word."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from etl.errors import UsageError
from etl.load import acceptance, suspicion
from tests.database.roles import as_owner
from tests.load.believing import load
from tests.load.worlds import World
from tests.mart.comparing import gateways, offer, rows

NOW = datetime(2027, 3, 1, tzinfo=UTC)


def suspects(engine: Engine) -> dict[tuple[str, str], list[str]]:
    """The reasons of each suspect price, by source and meter."""
    found = rows(engine, "SELECT source, meter, reasons FROM mart.suspect_price")
    return {(row.source, row.meter): row.reasons for row in found}


def is_suspect(engine: Engine, source: str) -> list[bool]:
    """Whether each change of a source is suspect, in order of time."""
    sql = "SELECT is_suspect FROM mart.price_change WHERE source = :source ORDER BY changed_at, model_id, meter"
    return [row.is_suspect for row in rows(engine, sql, source=source)]


def change(engine: Engine, source: str, *prices: str) -> None:
    """Load a source day by day with one model at USD per million input tokens."""
    for day, price in enumerate(prices):
        load(engine, source, day, World({"openai/o3": offer(**{"in": price, "out": "8"})}))


def test_half_of_what_the_same_provider_asks_elsewhere_is_suspect_and_never_first(engine: Engine) -> None:
    full = {"openai/o3": offer(**{"in": "2", "out": "8"})}
    gateways(engine, one=full, two=full, batch={"openai/o3": offer(**{"in": "1", "out": "4"})})
    half = ["half_of_others"]
    assert suspects(engine) == {("batch", "input_token"): half, ("batch", "output_token"): half}
    offers = {row.source: row.is_suspect for row in rows(engine, "SELECT source, is_suspect FROM mart.offer")}
    assert offers == {"one": False, "two": False, "batch": True}
    ranked = rows(engine, "SELECT source, rank, spread, is_suspect FROM mart.price_comparison ORDER BY rank, source")
    assert [(row.source, row.rank, row.spread, row.is_suspect) for row in ranked] == [
        ("one", 1, 1, False),
        ("two", 1, 1, False),
        ("batch", 3, 1, True),
    ]
    for row in rows(engine, "SELECT * FROM mart.cheapest"):
        assert (row.source, row.is_suspect) == ("one", False)
        assert row.dearest_usd_per_million == row.usd_per_million


def test_of_two_sources_the_lower_one_is_suspect_where_every_meter_is_half(engine: Engine) -> None:
    gateways(
        engine,
        one={"openai/o3": offer(**{"in": "2", "out": "8"}), "openai/o1": offer(**{"in": "2", "out": "9"})},
        two={"openai/o3": offer(**{"in": "1", "out": "4"}), "openai/o1": offer(**{"in": "1", "out": "9"})},
    )
    found = rows(engine, "SELECT source, model_id, meter FROM mart.suspect_price ORDER BY meter")
    assert [(row.source, row.model_id, row.meter) for row in found] == [
        ("two", "openai/o3", "input_token"),
        ("two", "openai/o3", "output_token"),
    ]


@pytest.mark.parametrize(
    ("price", "reason"), [("4", "double_of_others"), ("2000", "power_of_ten"), ("0.002", "power_of_ten"), ("1.5", None)]
)
def test_an_exact_multiple_of_the_most_common_price_is_suspect(engine: Engine, price: str, reason: str | None) -> None:
    common = {"openai/o3": offer(**{"in": "2"})}
    gateways(engine, one=common, two=common, off={"OpenAI/o3": offer(**{"in": price})})
    found = suspects(engine).get(("off", "input_token"), [])
    assert [each for each in found if each != "out_of_range"] == ([reason] if reason else [])
    assert {source for source, _ in suspects(engine)} <= {"off"}


def test_another_provider_may_ask_half(engine: Engine) -> None:
    common = {"openai/o3": offer(**{"in": "2", "out": "8"})}
    gateways(engine, one=common, two=common, host={"groq/o3": offer(**{"in": "1", "out": "4"})})
    assert suspects(engine) == {}


def test_who_cuts_first_is_cleared_when_the_others_follow_and_who_follows_last_never_was_suspect(
    engine: Engine,
) -> None:
    full, half = ({"openai/o3": offer(**{"in": price, "out": other})} for price, other in (("2", "8"), ("1", "4")))
    gateways(engine, first=full, second=full, last=full)
    load(engine, "first", 1, World(half))
    assert suspects(engine).keys() == {("first", "input_token"), ("first", "output_token")}
    load(engine, "second", 2, World(half))
    assert suspects(engine) == {}
    load(engine, "last", 3, World(half))
    assert is_suspect(engine, "first") + is_suspect(engine, "second") + is_suspect(engine, "last") == [False] * 6


def test_the_correction_of_a_wrong_price_is_no_suspicion(engine: Engine) -> None:
    change(engine, "s", "2", "20", "2", "20", "3")
    assert is_suspect(engine, "s") == [True, False, True, False]
    assert suspects(engine) == {}


def test_a_step_is_right_where_others_ask_about_that_much(engine: Engine) -> None:
    gateways(engine, other={"groq/o3": offer(**{"in": "2.5"})})
    change(engine, "s", "30", "2")
    assert is_suspect(engine, "s") == [False]
    assert rows(engine, "SELECT unit_price, reasons FROM mart.price_suspicion")[0] == (Decimal("0.00003"), ["step"])


def test_a_step_is_cleared_when_the_others_follow(engine: Engine) -> None:
    gateways(engine, other={"groq/o3": offer(**{"in": "30"})})
    change(engine, "s", "30", "2")
    assert is_suspect(engine, "s") == [True]
    load(engine, "other", 2, World({"groq/o3": offer(**{"in": "2.5"})}))
    assert is_suspect(engine, "s") + is_suspect(engine, "other") == [False, False]


def test_a_step_away_from_the_range_of_its_meter_is_the_correction(engine: Engine) -> None:
    usual = {f"groq/m{number}": offer(**{"in": f"{number}.5"}) for number in range(1, 6)}
    for day, price in enumerate(("20000", "3")):
        load(engine, "s", day, World(usual | {"openai/unheard-of": offer(**{"in": price})}))
    assert is_suspect(engine, "s") == [False]


def test_what_moves_with_suspects_by_the_same_factor_is_suspect(engine: Engine) -> None:
    models = [f"openai/{name}" for name in ("o1", "o3", "gpt-4o", "gpt-5")]
    full = {model: offer(**{"in": "2", "out": "8"}) for model in models}
    alone = {"mistral/pixtral-large": offer(**{"in": "3"}), "mistral/mistral-small": offer(**{"in": "5"})}
    gateways(engine, one=full, two=full, batch=full | alone)
    half = {model: offer(**{"in": "1", "out": "4"}) for model in models}
    moved = {"mistral/pixtral-large": offer(**{"in": "1.5"}), "mistral/mistral-small": offer(**{"in": "4"})}
    load(engine, "batch", 1, World(half | moved))
    found = rows(engine, "SELECT model_id FROM mart.suspect_price WHERE 'moved_with_suspects' = ANY (reasons)")
    assert [row.model_id for row in found] == ["mistral/pixtral-large"]


def test_neither_a_wrong_price_nor_its_correction_moves_the_index(engine: Engine) -> None:
    gateways(engine, other={"openai/o3": offer(**{"in": "2", "out": "8"})})
    steady = {"groq/llama-3.1-8b": offer(**{"in": "1", "out": "1"})}
    for day, price in enumerate(("2", "200", "2", "1")):
        load(engine, "s", day, World(steady | {"openai/o3": offer(**{"in": price, "out": "8"})}))
    index = rows(engine, "SELECT index, items FROM mart.price_index WHERE source = 's' ORDER BY day")
    assert [(row.index, row.items) for row in index[:3]] == [(100, 2), (100, 1), (100, 2)]
    assert index[3].index < 100


def accept(engine: Engine, *ids: str) -> list[dict[str, Any]]:
    with engine.begin() as connection:
        return acceptance.accept(connection, ids, by="ada", why="seen on their page", now=NOW)


def wrong(engine: Engine) -> str:
    """The ID of the one suspect price."""
    [row] = rows(engine, "SELECT suspect_id FROM mart.suspect_price")
    return str(row.suspect_id)


def test_an_accepted_price_is_no_suspect_and_the_step_counts(engine: Engine) -> None:
    change(engine, "s", "2", "20")
    before = rows(engine, "SELECT index FROM mart.price_index WHERE source = 's' ORDER BY day DESC")[0].index
    [taken] = accept(engine, wrong(engine))
    assert (taken["source"], taken["reasons"]) == ("s", ["power_of_ten", "step"])
    assert suspects(engine) == {}
    assert is_suspect(engine, "s") == [False]
    assert rows(engine, "SELECT is_suspect FROM mart.change_feed WHERE entity = 'price'")[0].is_suspect is False
    after = rows(engine, "SELECT index FROM mart.price_index WHERE source = 's' ORDER BY day DESC")[0].index
    assert before == 100 < after
    [row] = rows(engine, "SELECT accepted_by, why, accepted_at, withdrawn_at FROM mart.accepted_price")
    assert tuple(row) == ("ada", "seen on their page", NOW, None)


def test_an_acceptance_survives_late_snapshots_and_ends_with_the_price(engine: Engine) -> None:
    for day, price in ((0, "2"), (4, "20")):
        load(engine, "s", day, World({"openai/o3": offer(**{"in": price})}))
    accept(engine, wrong(engine))
    for day, price in ((3, "20"), (6, "20"), (5, "2.5")):
        load(engine, "s", day, World({"openai/o3": offer(**{"in": price})}))
    assert suspects(engine) == {}
    load(engine, "s", 200, World({"openai/o3": offer(**{"in": "2"})}))
    load(engine, "s", 201, World({"openai/o3": offer(**{"in": "30"})}))
    assert suspects(engine) == {("s", "input_token"): ["step"]}


def test_a_price_that_is_only_far_out_of_range_can_be_accepted_and_that_withdrawn(engine: Engine) -> None:
    usual = {f"groq/m{number}": offer(**{"in": f"{number}.5"}) for number in range(1, 6)}
    load(engine, "s", 0, World(usual | {"openai/dear": offer(**{"in": "20000"})}))
    suspect_id = wrong(engine)
    accept(engine, suspect_id)
    assert suspects(engine) == {}
    with engine.begin() as connection:
        acceptance.withdraw(connection, [suspect_id], by="bob", now=NOW)
    assert wrong(engine) == suspect_id
    [row] = rows(engine, "SELECT accepted_by, withdrawn_by FROM mart.accepted_price")
    assert tuple(row) == ("ada", "bob")


def test_an_unknown_id_accepts_nothing(engine: Engine) -> None:
    change(engine, "s", "2", "20")
    with pytest.raises(UsageError, match=r"^nonsense is no suspect price: `etl suspects` lists them$"):
        accept(engine, wrong(engine), "nonsense")
    assert rows(engine, "SELECT FROM mart.accepted_price") == []


def test_what_is_kept_up_load_by_load_is_what_judging_all_anew_gives(engine: Engine) -> None:
    for day in range(6):
        for source, factor in (("one", 1), ("two", 1), ("three", 10 if day in (2, 4) else 1)):
            models = {f"openai/{name}": offer(**{"in": str(factor * (2 - day // 3))}) for name in ("o1", "o3")}
            load(engine, source, day, World(models))
    kept = rows(engine, "SELECT s::text FROM core.suspicion s ORDER BY 1")
    assert len(kept) > 2
    with as_owner(engine).begin() as connection:
        connection.execute(text("TRUNCATE core.suspicion, core.suspicion_mark"))
        suspicion.refresh(connection)
    assert rows(engine, "SELECT s::text FROM core.suspicion s ORDER BY 1") == kept


@pytest.mark.parametrize(("price", "expected"), [("2", ("respelled", False)), ("3", ("model", True))])
def test_a_provider_in_another_spelling_is_no_economic_change_at_the_same_price(
    engine: Engine, price: str, expected: tuple[str, bool]
) -> None:
    load(engine, "s", 0, World({"OpenAI/o3": offer(**{"in": "2"})}))
    load(engine, "s", 1, World({"openai/o3": offer(**{"in": price})}))
    found = rows(engine, "SELECT change, cause, is_economic FROM mart.price_change ORDER BY change")
    assert [tuple(row) for row in found] == [("added", *expected), ("removed", *expected)]
