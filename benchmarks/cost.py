"""How long does it take to say what usage cost: one usage, many of them, a whole table?

On a server of its own, against a history of 50,000 price versions. The figures stand in docs/cost.md.
"""

import statistics
import sys
import time

from sqlalchemy import Connection, text

from benchmarks._server import warehouse
from etl.database.driver import run_script

REPEATS = 3
VERSIONS = 50_000
ROWS = 100_000

HISTORY = """
INSERT INTO core.source (source, kind) VALUES ('bench', 'bifrost');
INSERT INTO core.model (source, model_id, extra, valid_from, known_from)
SELECT 'bench', 'maker/model-' || n, '{}', '2026-01-01Z', '2026-01-01Z' FROM generate_series(0, 499) n;
INSERT INTO core.endpoint (source, model_id, provider, region, extra, valid_from, known_from)
SELECT 'bench', 'maker/model-' || n, 'provider-' || n % 2, '*', '{}', '2026-01-01Z', '2026-01-01Z'
  FROM generate_series(0, 499) n;
INSERT INTO core.price (source, model_id, provider, region, plan, meter, tier_start, currency, price_state, unit_price,
                        valid_from, valid_to, known_from, end_known_from)
SELECT 'bench', 'maker/model-' || n, 'provider-' || n % 2, '*', 'standard', meter, tier_start, 'USD', 'priced',
       (n + v + 1) * 1e-8, begin, finish, begin, finish
  FROM generate_series(0, 499) n, generate_series(0, 19) v,
       (VALUES ('input_token', 0), ('input_token', 200000), ('output_token', 0), ('cache_read_token', 0),
               ('request', 0)) quoted (meter, tier_start),
       LATERAL (SELECT '2026-01-01Z'::timestamptz + v * interval '36 hours',
                       CASE WHEN v < 19 THEN '2026-01-01Z'::timestamptz + (v + 1) * interval '36 hours' END
               ) span (begin, finish);
ANALYZE core.price, core.model, core.endpoint;
"""
"""500 models with five prices each, every one of which changed every day and a half, twenty versions in all."""

TRAFFIC = f"""
CREATE TEMP TABLE traffic AS
SELECT n AS usage_id, 'bench' AS source, 'maker/model-' || n % 500 AS model_id, 'provider-' || n % 2 AS provider,
       '*' AS region, '2026-01-01Z'::timestamptz + n * interval '25 seconds' AS at,
       jsonb_build_object('input_token', n * 7 % 300000 + 1000, 'cache_read_token', n % 1000, 'output_token', n % 5000,
                          'request', 1) AS usage
  FROM generate_series(1, {ROWS}) n
"""  # noqa: S608  our own constant

QUESTIONS = {
    "one usage": "SELECT sum(cost) FROM mart.usage_cost('bench', 'maker/model-7', 'provider-1', '*',"
    " jsonb_build_object('input_token', 12000, 'cache_read_token', 8000, 'output_token', 500), '2026-01-10Z')",
    "10,000 usages, one by one": "SELECT sum(c.cost) FROM (SELECT * FROM traffic LIMIT 10000) t CROSS JOIN LATERAL"
    " mart.usage_cost(t.source, t.model_id, t.provider, t.region, t.usage, t.at) c",
    f"a table of {ROWS:,}, each at its own time": "SELECT sum(cost) FROM mart.usage_costs('traffic')",
    f"a table of {ROWS:,}, all at one time": "SELECT sum(cost) FROM mart.usage_costs('traffic', '2026-01-10Z')",
}


def main() -> None:
    """Measure and print one line for each question."""
    with warehouse() as engine, engine.begin() as connection:
        run_script(connection, HISTORY + TRAFFIC)
        versions = connection.scalar(text("SELECT count(*) FROM mart.price_version"))
        assert versions == VERSIONS, versions  # noqa: S101  else the figures are of something else
        sys.stdout.write(f"median of {REPEATS} after one to warm up; {versions:,} versions of prices\n")
        for name, question in QUESTIONS.items():
            sys.stdout.write(f"{name:45} {_median(connection, question) * 1000:9.1f} ms\n")


def _median(connection: Connection, question: str) -> float:
    times = []
    for _ in range(REPEATS + 1):
        begun = time.perf_counter()
        connection.execute(text(question)).all()
        times.append(time.perf_counter() - begun)
    return statistics.median(times[1:])
