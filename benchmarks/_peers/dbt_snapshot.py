"""dbt's snapshot with the strategy check: ``… URL FILE TIME``, in dbt's own environment.

The rows are copied into the table that is snapshot; copying counts, for without it there is nothing to compare. The
clock starts when dbt is imported. It dates versions by its own clock, whatever TIME says.
"""

import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks._peers.measuring import measure

os.environ |= {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}

import psycopg2
from dbt.cli.main import dbtRunner

KEY = ("model_id", "provider", "region", "plan", "meter", "tier_start")
VALUES = ("currency", "price_state", "unit_price")

SOURCE = """
CREATE SCHEMA IF NOT EXISTS bench;
CREATE TABLE IF NOT EXISTS bench.price_now (
    model_id text, provider text, region text, plan text, meter text, tier_start bigint,
    currency text, price_state text, unit_price numeric
);
TRUNCATE bench.price_now
"""


def project(url: str, folder: Path) -> None:
    """Write what dbt needs: a project, a profile, a source and the snapshot of it. JSON is YAML."""
    place = urlsplit(url)
    target = {
        "type": "postgres",
        "host": place.hostname,
        "port": place.port,
        "user": place.username,
        "password": place.password,
        "dbname": place.path.removeprefix("/"),
        "schema": "bench",
        "threads": 2,
    }
    snapshot = {
        "name": "price",
        "relation": "source('bench', 'price_now')",
        "config": {
            "schema": "history",
            "unique_key": list(KEY),
            "strategy": "check",
            "check_cols": list(VALUES),
            "hard_deletes": "invalidate",
        },
    }
    files = {
        "dbt_project.yml": {"name": "bench", "version": "1.0", "profile": "bench", "config-version": 2},
        "profiles.yml": {"bench": {"target": "here", "outputs": {"here": target}}},
        "models/source.yml": {"sources": [{"name": "bench", "schema": "bench", "tables": [{"name": "price_now"}]}]},
        "snapshots/price.yml": {"snapshots": [snapshot]},
    }
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(json.dumps(content, indent=2), encoding="utf-8")


def load(url: str, file: Path, folder: Path) -> None:
    """Copy the rows in and take the snapshot."""
    with psycopg2.connect(url) as connection, connection.cursor() as cursor, file.open("rb") as rows:
        cursor.execute(SOURCE)
        cursor.copy_expert("COPY bench.price_now FROM STDIN", rows)
        cursor.execute("ANALYZE bench.price_now")
    connection.close()
    place = ["--project-dir", str(folder), "--profiles-dir", str(folder)]
    result = dbtRunner().invoke(["--quiet", "--log-level-file", "none", "snapshot", *place])
    if not result.success:
        raise RuntimeError(f"dbt failed: {result.exception or result.result}")


def main(url: str, file: str, observed_at: str) -> None:
    """Measure one load."""
    del observed_at
    rows = Path(file)
    folder = rows.parent / "dbt"
    project(url, folder)
    measure(lambda: load(url, rows, folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
