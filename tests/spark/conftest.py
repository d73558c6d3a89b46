"""One Spark for all tests of a run: it takes seconds to start."""

from collections.abc import Iterator
from typing import Any

import pytest

from etl.errors import ConfigurationError
from etl.spark.session import require_spark, spark_session
from tests.cli.conftest import etl, folder, typing

__all__ = ["etl", "folder", "spark", "typing"]  # The command as the tests of the command line have it.

QUICK = {
    # What runs for seconds is not worth the time of the second compiler.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    "spark.driver.memory": "1g",
}


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A session on this machine; tests that need one are skipped where there is no Java or no PySpark."""
    try:
        require_spark()
    except ConfigurationError as error:
        pytest.skip(str(error))
    with spark_session("local[2]", QUICK) as session:
        yield session
