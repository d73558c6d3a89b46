"""A report says what the mart says of the window, the sources and the models that were asked for."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

from etl.errors import ConfigurationError
from etl.report import facts as reading
from etl.report.facts import Facts, read
from etl.report.history import histories
from etl.report.scope import Asked
from tests.load.believing import load
from tests.load.worlds import World
from tests.report.conftest import NOW

LAST = datetime(2026, 1, 5, 10, 20, tzinfo=UTC)


def only(engine: Engine, *models: str, sources: tuple[str, ...] = ()) -> Facts:
    return read(engine, Asked(now=NOW, models=models, sources=sources))


def test_the_window_reaches_back_from_the_last_observation(demo_facts: Facts) -> None:
    assert demo_facts.scope.until == LAST
    assert demo_facts.scope.since == LAST - timedelta(days=90)


def test_changes_are_those_of_the_mart_the_largest_effect_first(demo: Engine, demo_facts: Facts) -> None:
    query = """SELECT count(*) FROM mart.price_change WHERE is_economic AND cause IN ('price', 'meter')"""
    with demo.connect() as connection:
        assert len(demo_facts.changes) == connection.scalar(text(query))
    effects = [max(row["ratio"], 1 / row["ratio"]) for row in demo_facts.changes if row["ratio"]]
    assert effects == sorted(effects, reverse=True)
    assert effects[0] == 10
    first = demo_facts.changes[0]
    assert (first["old_state"], first["new_state"]) == ("free", "priced")
    assert [row["change"] for row in demo_facts.changes[-5:]] == ["added"] * 5


def test_since_leaves_out_what_changed_before(demo: Engine) -> None:
    since = datetime(2025, 12, 2, tzinfo=UTC)
    found = read(demo, Asked(now=NOW, since=since))
    assert found.changes
    assert {row["changed_at"] for row in found.changes + found.arrivals} == {
        datetime(2025, 12, 15, 19, 5, tzinfo=UTC),
        LAST,
    }
    assert min(row["day"] for row in found.index) == since.date()
    starts = {offer["points"][0][0] for model in histories(found) for offer in model["offers"]}
    assert min(starts) == since.timestamp()


@pytest.mark.parametrize("name", ["openai/gpt-4o", "GPT-4o", "*/gpt-4o", "gpt-4?"])
def test_a_model_is_meant_at_every_gateway_by_any_of_its_ids(demo: Engine, name: str) -> None:
    found = only(demo, name)
    assert {row["canonical_id"] for row in found.prices} == {"openai/gpt-4o"}
    assert {row["source"] for row in found.prices} == {
        "demo_bifrost",
        "demo_helicone_registry",
        "demo_majestix",
        "demo_phaseo",
    }
    assert {row["model_id"] for row in found.retiring} == {"openai/gpt-4o"}


def test_what_is_no_pattern_in_sql_is_none_here(demo: Engine) -> None:
    with pytest.raises(ConfigurationError, match="no model is called gpt_4o"):
        only(demo, "gpt_4o")
    with pytest.raises(ConfigurationError, match="no model is called %"):
        only(demo, "%")


def test_sources_leave_out_all_others_and_what_all_make_together(demo: Engine) -> None:
    found = only(demo, sources=("demo_majestix",))
    for name in ("sources", "changes", "prices", "index", "sizes", "churn", "arrivals", "offers"):
        assert {row["source"] for row in getattr(found, name)} == {"demo_majestix"}, name


def test_counts_are_those_of_what_was_asked_for(demo: Engine, demo_facts: Facts) -> None:
    with demo.connect() as connection:
        assert sum(row["prices"] for row in demo_facts.sources) == connection.scalar(
            text("SELECT count(*) FROM mart.price_current")
        )
    assert sum(row["models"] for row in only(demo, "gpt-4o").sources) == 5


def test_the_cheapest_host_of_each_model_is_the_first(demo_facts: Facts) -> None:
    blended = [
        row["blended_usd_per_million"] for row in demo_facts.offers if row["canonical_id"].endswith("deepseek-chat")
    ]
    assert blended == sorted(blended)
    assert {row["rank"] for row in demo_facts.offers if row["blended_usd_per_million"] == row["cheapest"]} == {1}
    hosts = [row["hosts"] for row in demo_facts.offers]
    assert hosts == sorted(hosts, reverse=True)


def test_a_tier_stands_beside_the_one_below_it(demo_facts: Facts) -> None:
    [tier] = [row for row in demo_facts.tiers if row["provider"] == "xai" and row["meter"] == "input_token"]
    assert (tier["lower_start"], tier["tier_start"]) == (0, 128000)
    assert (tier["lower_unit_price"], tier["unit_price"]) == (Decimal("0.0000002"), Decimal("0.0000004"))


def test_a_provider_that_failed_leaves_a_gap_in_its_histories_alone(demo_facts: Facts) -> None:
    broken = {
        offer["where"]
        for model in histories(demo_facts)
        for offer in model["offers"]
        if any(point[1] == "unseen" for point in offer["points"])
    }
    assert broken == {"demo_bifrost · groq"}


def test_the_model_with_the_most_to_see_comes_first_with_its_steps(demo_facts: Facts) -> None:
    first = histories(demo_facts)[0]
    assert first["name"] == "deepseek/deepseek-chat"
    [offer] = [each for each in first["offers"] if each["source"] == "demo_majestix" and each["meter"] == "input_token"]
    assert [point[1:] for point in offer["points"]] == [["784", "CREDIT", "0.784"], ["392", "CREDIT", "0.392"]]
    assert offer["until"] == LAST.timestamp()


WORLD = World({"openai/a": ("A", {"prompt": "0.000001"})})
DEARER = World({"openai/a": ("A", {"prompt": "0.000002"})})


def points(engine: Engine) -> list[tuple[int, str]]:
    """The days and amounts of the one price, days counted from the first."""
    facts = read(engine, Asked(now=NOW, since=datetime(2026, 1, 1, tzinfo=UTC)))
    [model] = histories(facts)
    [offer] = model["offers"]
    first = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    return [(int(at - first) // 86400, what) for at, what in offer["points"]]


def test_where_nobody_looked_for_much_longer_than_usual_there_is_a_gap(engine: Engine) -> None:
    for number in (0, 1, 2, 3, 9, 10, 11):
        load(engine, "s", number, WORLD if number < 9 else DEARER)
    assert points(engine) == [(0, "1"), (3, "unseen"), (9, "2")]


def test_three_times_the_usual_is_no_gap_yet(engine: Engine) -> None:
    for number in (0, 1, 2, 5, 6):
        load(engine, "s", number, WORLD)
    assert points(engine) == [(0, "1")]


def test_a_price_that_went_and_came_back_is_absent_in_between(engine: Engine) -> None:
    other = World({"openai/b": ("B", {})})
    for number, world in enumerate((WORLD, other, other, WORLD)):
        load(engine, "s", number, world)
    assert points(engine) == [(0, "1"), (1, "absent"), (3, "1")]


def test_a_source_that_was_last_looked_at_before_the_window_has_no_history_in_it(engine: Engine) -> None:
    load(engine, "old", 0, WORLD)
    load(engine, "new", 40, WORLD)
    found = read(engine, Asked(now=NOW, since=datetime(2026, 2, 1, tzinfo=UTC)))
    assert {row["source"] for row in found.prices} == {"old", "new"}
    assert {offer["source"] for model in histories(found) for offer in model["offers"]} == {"new"}


def test_a_component_that_costs_nothing_is_no_change_when_it_comes(engine: Engine) -> None:
    for number, prices in enumerate(({}, {"image": "0"}, {"image": "0.01"})):
        load(engine, "s", number, World({"openai/a": ("A", {"prompt": "0.000001"} | prices)}))
    found = read(engine, Asked(now=NOW))
    assert [(row["meter"], row["old_state"], row["new_state"]) for row in found.changes] == [
        ("input_image", "free", "priced")
    ]


def test_an_empty_warehouse_has_no_facts(engine: Engine) -> None:
    found = read(engine, Asked(now=NOW))
    assert found.is_empty
    assert histories(found) == []
    assert all(getattr(found, name) == [] for name in reading.QUESTIONS)


def test_no_more_rows_come_than_a_page_shows_and_their_number_is_told(
    demo: Engine, demo_facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST", dict.fromkeys(reading.MOST, 3))
    few = read(demo, Asked(now=NOW))
    for name in reading.MOST:
        whole = getattr(demo_facts, name)
        assert getattr(few, name) == whole[:3]
        assert {row["total"] for row in getattr(few, name)} == {len(whole)}


def test_cuts_and_rises_are_counted_also_where_no_row_shows_them(
    demo: Engine, demo_facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST", reading.MOST | {"changes": 2})
    [few, _] = read(demo, Asked(now=NOW)).changes
    told = [row["change"] for row in demo_facts.changes]
    assert (few["cuts"], few["rises"]) == (told.count("decreased"), told.count("increased")) == (20, 10)


def test_the_size_of_a_catalog_at_the_beginning_of_the_window_is_that_of_the_last_snapshot_before(demo: Engine) -> None:
    since = datetime(2025, 12, 10, tzinfo=UTC)
    sizes = read(demo, Asked(now=NOW, since=since, sources=("demo_bifrost",))).sizes
    assert [(row["observed_at"], row["models"]) for row in sizes] == [(since, 16), (LAST, 15)]


def test_what_came_and_went_is_that_of_the_models_that_are_asked_for(demo: Engine) -> None:
    found = only(demo, "o1")
    assert sum(row["came"] + row["went"] for row in found.churn) == len(found.arrivals) == 4


def test_the_same_moment_gives_the_same_facts(demo: Engine, demo_facts: Facts) -> None:
    assert read(demo, Asked(now=NOW)) == demo_facts
