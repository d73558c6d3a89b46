"""What docs/export.md shows is run, on exports of the demo."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import Engine, text

from tests.docs.markdown import ROOT, Block, blocks, statements
from tests.lake.exporting import exported
from tests.processes import environment

DOCUMENT = ROOT / "docs" / "export.md"


def test_the_queries_for_duckdb_find_what_the_mart_says(
    story: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exported(story, "export")
    by_manifest, by_folder = blocks(DOCUMENT, "sql")
    versions = "SELECT source, count(*), count(*) FILTER (WHERE valid_to IS NULL) FROM mart.price_history GROUP BY 1"
    then = (
        "SELECT source, provider, usd_per_million FROM mart.price_as_of('2025-11-20 12:00 UTC')"
        " WHERE model_id LIKE '%deepseek-chat' AND meter = 'input_token' ORDER BY usd_per_million, source"
    )
    with story.connect() as connection:
        expected = sorted(tuple(row) for row in connection.execute(text(versions)))
        assert answered(by_manifest) == expected
        assert answered(by_folder) == [tuple(row) for row in connection.execute(text(then))]


def answered(block: Block) -> list[tuple[object, ...]]:
    """What DuckDB answers to the last statement of a block."""
    with duckdb.connect() as connection:
        for statement in statements(block.code):
            connection.execute(statement)
        return connection.fetchall()


@pytest.mark.slow
@pytest.mark.parametrize("block", blocks(DOCUMENT, "python"), ids=lambda block: block.code.split()[1])
def test_the_programs_run(story: Engine, tmp_path: Path, block: Block) -> None:
    for name in re.findall(r"^(?:import|from) (\w+)", block.code, re.MULTILINE):
        if importlib.util.find_spec(name) is None or (name == "pyspark" and shutil.which("java") is None):
            pytest.skip(f"{name} cannot be run here")
    is_parquet = "export/" in block.code
    exported(story, tmp_path / ("export" if is_parquet else "lake"), "parquet" if is_parquet else "iceberg")
    command, environ = [sys.executable, "-c", block.code], environment(tmp_path)
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "demo_bifrost" in done.stdout or "openai/" in done.stdout
