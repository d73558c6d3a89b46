"""Who may read the mart may ask what usage costs; and history is read by key, or once for all rows."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import URL, Connection, Engine, text
from sqlalchemy.exc import ProgrammingError

from etl.database.loader import LOADER
from tests.database.roles import as_owner, execute
from tests.mart.tariff import store, tariff

COST = "SELECT cost FROM mart.usage_cost('gateway', 'maker/model', 'provider', NULL, jsonb_build_object('request', 1))"
TRAFFIC = (
    "CREATE TEMP TABLE traffic AS SELECT n AS usage_id, 'gateway' AS source, 'maker/model' AS model_id,"
    " 'provider-' || n % 50 AS provider, '*' AS region, '2026-03-01Z'::timestamptz AS at,"
    " jsonb_build_object('input_token', n, 'output_token', n) AS usage FROM generate_series(1, 2000) n"
)
HISTORY = (
    "INSERT INTO core.price (source, model_id, provider, region, plan, meter, tier_start, currency, price_state,"
    " unit_price, valid_from, valid_to, known_from, end_known_from)"
    " SELECT 'gateway', 'maker/model', 'provider-' || p, '*', 'standard', m, 0, 'USD', 'priced', 1, d,"
    " d + interval '1 day', d, d + interval '1 day'"
    " FROM generate_series(0, 49) p, unnest(ARRAY['input_token', 'output_token', 'request', 'web_search']) m,"
    " generate_series('2026-01-01Z'::timestamptz, '2026-03-31Z', '1 day') d"
)


@pytest.fixture
def reader(engine: Engine, server_url: URL) -> Iterator[str]:
    """A role with rights on the mart alone."""
    name = f"reader_{uuid4().hex[:12]}"
    store(engine, tariff({"request": "2"}))
    execute(server_url, f"CREATE ROLE {name}; GRANT {name} TO {LOADER}")
    with as_owner(engine).begin() as connection:
        connection.execute(text(f"GRANT USAGE ON SCHEMA mart TO {name}"))
        connection.execute(text(f"GRANT SELECT ON ALL TABLES IN SCHEMA mart TO {name}"))
        connection.execute(text(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA mart TO {name}"))
    yield name
    execute(server_url.set(database=engine.url.database), f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_a_reader_of_the_mart_alone_may_price_usage(engine: Engine, reader: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL ROLE {reader}"))
        connection.execute(text(TRAFFIC + " LIMIT 1"))
        connection.execute(text("UPDATE traffic SET provider = 'provider', usage = '{\"request\"\\: 3}'"))
        assert connection.scalar(text(COST)) == 2
        assert connection.scalar(text("SELECT cost FROM mart.usage_costs('traffic')")) == 6


def test_a_table_that_the_caller_may_not_read_is_not_read_for_him(engine: Engine, reader: str) -> None:
    with as_owner(engine).begin() as connection:
        connection.execute(text(TRAFFIC.replace("TEMP TABLE", "TABLE public.")))
    with engine.connect() as connection:
        connection.execute(text(f"SET ROLE {reader}"))
        with pytest.raises(ProgrammingError, match="permission denied for table traffic"):
            connection.execute(text("SELECT * FROM mart.usage_costs('public.traffic')"))


def test_one_question_finds_its_prices_by_their_key(engine: Engine) -> None:
    with as_owner(engine).begin() as connection:
        connection.execute(text(HISTORY))
        connection.execute(text("ANALYZE core.price"))
        connection.execute(text(f"ALTER FUNCTION {USAGE_COST} RESET search_path"))
        plan = list(_nodes(connection, COST))
    assert "price_version_key" in {node.get("Index Name") for node in plan}
    assert not [node for node in plan if node["Node Type"] == "Seq Scan" and node["Relation Name"] == "price"]


def test_a_table_of_usage_is_joined_with_a_history_that_is_read_once(engine: Engine) -> None:
    with as_owner(engine).begin() as connection:
        connection.execute(text(HISTORY))
        connection.execute(text("ANALYZE core.price"))
        connection.execute(text(TRAFFIC))
        connection.execute(
            text("ALTER FUNCTION mart.usage_costs(regclass, timestamptz, timestamptz) RESET search_path")
        )
        plan = list(_nodes(connection, "SELECT * FROM mart.usage_costs('traffic')"))
    reads = [(node["Relation Name"], node["Actual Loops"]) for node in plan if "Relation Name" in node]
    assert ("price", 1) in reads
    assert {loops for _, loops in reads} <= {0, 1}


USAGE_COST = "mart.usage_cost(text, text, text, text, jsonb, timestamptz, timestamptz, text)"
"""A function with settings of its own hides its plan."""


def _nodes(connection: Connection, question: str) -> Iterator[dict[str, Any]]:
    found = connection.scalar(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {question}"))
    waiting = [(found if isinstance(found, list) else json.loads(found))[0]["Plan"]]
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        yield node
