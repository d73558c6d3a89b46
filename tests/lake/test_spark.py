"""Spark reads what was exported, and counts and sums as Postgres does."""

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.lake.exporting import entry, exported

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="pyspark is not installed"),
    pytest.mark.skipif(shutil.which("java") is None, reason="there is no Java, which Spark needs"),
]

SUMS = {
    "price_history": ("count(*)", "sum(unit_price)", "sum(usd_per_million)", "count(valid_to)"),
    "price_change": ("count(*)", "sum(new_unit_price)", "count(old_unit_price)"),
    "model_history": ("count(*)", "sum(context_length)", "count(description)"),
    "snapshot": ("count(*)", "sum(bytes)"),
}


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """A Spark of this process, on one core."""
    from pyspark.sql import SparkSession  # noqa: PLC0415

    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    yield session
    session.stop()


def test_spark_counts_and_sums_as_postgres_does(spark: Any, story: Engine, tmp_path: Path) -> None:
    exported(story, tmp_path)
    for name, sums in SUMS.items():
        files = [str(tmp_path / file.path) for file in entry(tmp_path, name).files]
        spark.read.option("basePath", str(tmp_path / name)).parquet(*files).createOrReplaceTempView(name)
        query = f"SELECT source, {', '.join(sums)} FROM {{}}{name} GROUP BY source ORDER BY source"
        found = [tuple(row) for row in spark.sql(query.format("")).collect()]
        with story.connect() as connection:
            expected = [tuple(row) for row in connection.execute(text(query.format("mart.") + ' COLLATE "C"'))]
        assert found == expected, name
    types = dict(spark.table("price_history").dtypes)
    assert (types["unit_price"], types["valid_from"], types["month"]) == ("decimal(38,20)", "timestamp", "string")
    months = spark.sql("SELECT DISTINCT month FROM price_history").collect()
    assert {row.month for row in months} == {file.month for file in entry(tmp_path, "price_history").files}
