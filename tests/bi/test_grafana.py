"""Every query of the dashboards, expanded as Grafana expands it, is asked of the demo's warehouse by a reader."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import URL, Connection, Engine, text

from etl.database.engine import open_engine
from tests.bi.grafana import FILES, Answer, Query, Range, ask, chosen, expand, load, moment, queries, seconds
from tests.database.roles import owner_of
from tests.docs.markdown import statements

QUERIES = {f"{query.dashboard}: {query.title}": query for query in queries()}
PATHS = {path.stem: path for path in FILES}
VARIABLES = [(name, each["name"]) for name in ("health", "prices") for each in load(PATHS[name])["templating"]["list"]]
STORY = Range(datetime(2025, 11, 3, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=UTC))
HOSTILE = ("'; DROP VIEW mart.source; --", "o'brien's \"model\"", "\\'", "$$", "%s %(x)s :name", "a) OR (true", "")
NUMBERS = {"int2", "int4", "int8", "float4", "float8", "numeric"}
KNOWN = NUMBERS | {"text", "bool", "timestamptz"}
"""Types that Grafana shows as what they are."""

QUIET = {"Age against max_age", "Run duration", "Missed slots", "Open alerts"} | {
    "Snapshots that failed, are held or were rejected",
    "Data quality",
}
"""Panels that have nothing to show of a demo in which nothing goes wrong."""

_TROUBLE = """
UPDATE core.source SET enabled = true;
INSERT INTO core.run (source, caller, worker, started_at, ended_at, outcome, error)
VALUES ('demo_phaseo', 'run', 'host:1', '2025-12-20 10:00Z', '2025-12-20 10:00:07.5Z', 'failed', 'no answer'),
       ('demo_phaseo', 'run', 'host:1', '2025-12-20 10:05Z', NULL, NULL, NULL);
INSERT INTO core.slot (source, due_at, status, reason)
VALUES ('demo_phaseo', '2025-12-20 09:00Z', 'missed', 'nobody was there'),
       ('demo_phaseo', now() - interval '1 hour', 'missed', 'nobody was there');
INSERT INTO core.alert (source, problem, opened_at, count, resolved_at)
VALUES ('demo_phaseo', 'stale', '2025-12-20 10:00Z', 1, NULL), ('demo_bifrost', 'stale', '2025-12-20 10:00Z', 1, now());
UPDATE core.snapshot SET status = 'held', reason = 'too few models'
 WHERE source = 'demo_majestix' AND status = 'unchanged' AND observed_at < '2025-11-30Z';
"""


@pytest.fixture(scope="module")
def demo(demo_url: URL) -> Iterator[Engine]:
    """The warehouse after ``etl demo``; whoever asks rolls back."""
    engine = open_engine(owner_of(demo_url))
    yield engine
    engine.dispose()


@pytest.fixture
def reader(demo: Engine) -> Iterator[Connection]:
    """A connection that may read the mart and nothing else."""
    with demo.connect() as connection:
        connection.execute(text("SET LOCAL ROLE etl_reader"))
        yield connection


@pytest.fixture
def troubled(demo: Engine) -> Iterator[Connection]:
    """The same after a run that failed, one that goes on, missed slots, an alert and a held snapshot."""
    with demo.connect() as connection:
        for statement in statements(_TROUBLE):
            connection.exec_driver_sql(statement)
        connection.execute(text("SET LOCAL ROLE etl_reader"))
        yield connection


def answer(connection: Connection, query: Query, *, during: Range = STORY, **wanted: Sequence[str]) -> Answer:
    """What a panel gets when its dashboard is opened, with what is wanted of its variables."""
    return ask(connection, expand(query.sql, chosen(connection, PATHS[query.dashboard], during, **wanted), during))


def column(found: Answer, name: str) -> list[Any]:
    return [row[found.columns.index(name)] for row in found.rows]


@pytest.mark.parametrize("name", QUERIES)
def test_a_panel_gets_rows_with_the_columns_that_it_draws(troubled: Connection, name: str) -> None:
    query = QUERIES[name]
    found = answer(troubled, query)
    assert found.rows
    assert len(set(found.columns)) == len(found.columns)
    assert set(found.types) <= KNOWN
    named = {each["matcher"]["options"] for each in query.panel["fieldConfig"]["overrides"]}
    assert named - {"number"} <= set(found.columns)
    wanted = query.panel["options"].get("reduceOptions", {}).get("fields", "").strip("/^$")
    assert not wanted or wanted in found.columns


@pytest.mark.parametrize("name", [name for name, query in QUERIES.items() if query.format == "time_series"])
def test_a_series_is_a_time_a_name_and_a_number_within_the_time_range(troubled: Connection, name: str) -> None:
    found = answer(troubled, QUERIES[name])
    assert found.columns == ("time", "metric", "value")
    time, metric, value = found.types
    assert (time in {"timestamptz", "numeric"}, metric, value in NUMBERS) == (True, "text", True)
    # Grafana refuses series that are not in the order of time, and of two values at one moment it draws one.
    moments = [moment(each) for each in column(found, "time")]
    assert moments == sorted(moments)
    assert len({row[:2] for row in found.rows}) == len(found.rows)
    assert None not in column(found, "value")
    assert STORY.start - timedelta(seconds=seconds(STORY.interval)) < moments[0]
    assert moments[-1] <= STORY.end


def test_only_what_went_wrong_is_missing_where_nothing_did(reader: Connection) -> None:
    assert {query.title for query in QUERIES.values() if not answer(reader, query).rows} == QUIET


@pytest.mark.parametrize("name", QUERIES)
def test_a_warehouse_without_anything_gives_no_error(owner_engine: Engine, name: str) -> None:
    with owner_engine.connect() as connection:
        connection.execute(text("SET LOCAL ROLE etl_reader"))
        answer(connection, QUERIES[name])


@pytest.mark.parametrize("name", QUERIES)
def test_the_time_zone_of_the_session_changes_nothing(troubled: Connection, name: str) -> None:
    expected = answer(troubled, QUERIES[name])
    troubled.execute(text("SET LOCAL TIME ZONE 'Pacific/Auckland'"))
    assert answer(troubled, QUERIES[name]) == expected


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_reaches_postgres_as_it_is(reader: Connection, value: str) -> None:
    sent = expand("SELECT ARRAY[${model}]::text[] AS model", {"model": [value, "second"]}, STORY)
    assert ask(reader, sent).rows == [([value, "second"],)]


@pytest.mark.parametrize("name", QUERIES)
def test_a_hostile_value_breaks_no_query_and_finds_nothing(reader: Connection, name: str) -> None:
    query = QUERIES[name]
    hostile = dict.fromkeys(["source", "model", "meter", "provider"], HOSTILE)
    found = ask(reader, expand(query.sql, hostile, STORY))
    match query.title:
        case "Price index" | "Endpoints in the basket":
            assert set(column(found, "metric")) == {"all sources"}
        case "What wants a person":
            assert found.rows == [(0,) * 6]
        case "Cheapest offers":
            assert found == answer(reader, query)
        case _:
            assert found.rows == []


@pytest.mark.parametrize(("dashboard", "variable"), VARIABLES)
def test_a_variable_offers_each_value_once_and_holds_some(reader: Connection, dashboard: str, variable: str) -> None:
    [found] = [each for each in load(PATHS[dashboard])["templating"]["list"] if each["name"] == variable]
    values = chosen(reader, PATHS[dashboard], STORY)
    options = ask(reader, expand(found["query"], values, STORY))
    offered = [row[0] for row in options.rows]
    assert options.types == ("text",)
    assert offered
    assert len(set(offered)) == len(offered)
    assert values[variable]
    assert set(values[variable]) <= set(offered)


def test_all_is_every_option_of_the_sources_that_are_chosen(reader: Connection) -> None:
    values = chosen(reader, PATHS["prices"], STORY, source=["demo_majestix"])
    assert values["source"] == ["demo_majestix"]
    assert values["provider"] == sorted(values["provider"])
    everywhere = chosen(reader, PATHS["prices"], STORY)["provider"]
    assert set(values["provider"]) < set(everywhere)


def test_the_price_of_a_model_steps_when_it_changed(reader: Connection) -> None:
    found = answer(
        reader,
        QUERIES["prices: Price history"],
        model=["deepseek/deepseek-chat"],
        source=["demo_helicone_registry"],
        meter=["input_token"],
    )
    days = [(time.date().isoformat(), value) for time, _, value in found.rows]
    assert set(column(found, "metric")) == {"demo_helicone_registry / deepseek / deepseek-chat / input_token"}
    assert [day for day, value in days if value == Decimal("0.56")][-1] == "2025-11-30"
    assert days[28] == ("2025-12-01", Decimal("0.28"))
    assert len(days) == 64


def test_while_a_model_was_gone_there_is_a_gap(reader: Connection) -> None:
    found = answer(reader, QUERIES["prices: Price history"], model=["openai/o1"], source=["demo_helicone_registry"])
    days = sorted({time.date().isoformat() for time in column(found, "time")})
    assert (days[0], days[-2:]) == ("2025-11-03", ["2025-11-30", "2026-01-05"])


def test_a_narrow_range_gives_its_own_days_and_the_day_that_it_begins_in(reader: Connection) -> None:
    noon = Range(datetime(2025, 11, 20, 12, tzinfo=UTC), datetime(2025, 11, 22, 12, tzinfo=UTC))
    for name in ("prices: Price history", "prices: Price index", "prices: Prices of what is no token"):
        query = QUERIES[name]
        models = [row[0] for row in ask(reader, "SELECT canonical_id FROM mart.canonical_model").rows]
        found = answer(reader, query, during=noon, model=models)
        assert {time.day for time in column(found, "time")} == {20, 21, 22}


def test_the_largest_effect_comes_first_and_what_came_or_went_last(reader: Connection) -> None:
    found = answer(reader, QUERIES["prices: Price changes, the largest effect first"])
    changes = list(zip(column(found, "change"), column(found, "change of price"), strict=True))
    moved = [change for change, _ in changes if change in {"increased", "decreased"}]
    assert changes[0] == ("increased", None)
    effects = [max(1 + share, 1 / (1 + share)) for _, share in changes if share is not None]
    assert effects[0] == 10
    assert [round(each, 9) for each in effects] == [round(each, 9) for each in sorted(effects, reverse=True)]
    assert [change for change, _ in changes[: len(moved)]] == moved
    assert {change for change, _ in changes[len(moved) :]} == {"added", "removed"}


def test_what_wants_a_person_is_counted(troubled: Connection) -> None:
    found = answer(troubled, QUERIES["health: What wants a person"])
    counts = dict(zip(found.columns, found.rows[0], strict=True))
    assert (counts["held"], counts["missed slots"], counts["open alerts"]) == (1, 1, 1)
    duration = answer(troubled, QUERIES["health: Run duration"])
    assert [row[1:] for row in duration.rows] == [("demo_phaseo", Decimal("7.5"))]
    assert column(answer(troubled, QUERIES["health: Snapshots that failed, are held or were rejected"]), "reason") == [
        "too few models"
    ]


def test_bytes_and_snapshots_are_those_of_the_mart(reader: Connection) -> None:
    [(count, size)] = ask(reader, "SELECT count(*), sum(bytes) FROM mart.snapshot").rows
    assert sum(column(answer(reader, QUERIES["health: Snapshots by status"]), "value")) == count
    assert sum(column(answer(reader, QUERIES["health: Bytes landed"]), "value")) == size


@pytest.mark.parametrize("sql", ["SELECT $__timeRange(x)", "SELECT $__timeGroupAlias(x)", "SELECT ${source:sqlstring}"])
def test_what_grafana_does_not_know_or_quotes_for_other_databases_is_refused(sql: str) -> None:
    with pytest.raises(ValueError, match=r"macro|quoting"):
        expand(sql, {"source": ["a"]}, STORY)
