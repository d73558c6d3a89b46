"""Starts Spark, or says in one line what is missing. Its own words go to a file: people want ours."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from etl.errors import ConfigurationError, SparkError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

OLDEST_JAVA = 17

_DEFAULTS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.ui.showConsoleProgress": "false",
}

_LOCAL = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2", "spark.driver.host": "127.0.0.1"}
"""What differs where all of it runs on one machine: nobody looks on, and small parts cost more than they bring."""


@contextmanager
def spark_session(master: str, conf: Mapping[str, str]) -> Iterator["SparkSession"]:
    """A session, ended with the block unless it ran before. Raises ``ConfigurationError`` or ``SparkError``."""
    require_spark()
    from pyspark.sql import SparkSession  # noqa: PLC0415

    running = SparkSession.getActiveSession()
    if running is not None:
        yield running
        return
    with tempfile.TemporaryFile() as said:
        session = _start(master, conf, said)
        try:
            yield session
        finally:
            session.stop()


def require_spark() -> None:
    """Raise ``ConfigurationError`` saying what to install, when PySpark or Java is missing."""
    try:
        import pyspark  # noqa: F401, PLC0415
    except ImportError:
        raise ConfigurationError(
            "PySpark is not installed: pip install 'llm-price-warehouse[spark]' "
            "(in a checkout: pip install -e '.[spark]')"
        ) from None
    found = java_version()
    if found is None or found < OLDEST_JAVA:
        what = "there is no Java here" if found is None else f"the Java here is {found}"
        raise ConfigurationError(
            f"{what}, and Spark needs {OLDEST_JAVA} or newer: install it "
            "(Debian and Ubuntu: apt install openjdk-17-jre-headless), or set JAVA_HOME"
        )


def java_version() -> int | None:
    """The number of the Java that Spark would take; null when there is none."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin") if home else None)
    if java is None:
        return None
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.search(r'version "(?:1\.)?(\d+)', said.stderr)
    return int(found[1]) if found else None


def _start(master: str, conf: Mapping[str, str], said: IO[bytes]) -> "SparkSession":
    from pyspark import SparkConf, SparkContext  # noqa: PLC0415
    from pyspark.errors import PySparkException  # noqa: PLC0415
    from pyspark.java_gateway import launch_gateway  # noqa: PLC0415
    from pyspark.sql import SparkSession  # noqa: PLC0415

    # Workers on this machine run the Python that runs us; elsewhere spark.pyspark.python says which.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    options = _DEFAULTS | (_LOCAL if master.startswith("local") else {}) | dict(conf)
    settings = SparkConf().setMaster(master).setAppName("etl rebuild").setAll(list(options.items()))
    try:
        gateway = launch_gateway(settings, {"stderr": said, "stdout": said})
        context = SparkContext(conf=settings, gateway=gateway)
    except Exception as error:
        if isinstance(error, PySparkException) or type(error).__module__.startswith("py4j"):
            raise SparkError(f"Spark does not start at {master}: {_last(said) or in_one_line(error)}") from None
        raise
    context.setLogLevel("ERROR")
    return SparkSession(context)


def _last(said: IO[bytes]) -> str | None:
    """The last thing that Java said of what went wrong."""
    said.seek(0)
    lines = said.read().decode(errors="replace").splitlines()
    telling = [line for line in lines if re.search("error|exception", line, re.IGNORECASE)]
    return telling[-1].strip()[:300] if telling else None


def in_one_line(error: Any) -> str:
    """What a failed job says: the last cause that is no line of a traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if re.match(r"[\w.]+(Error|Exception)\b:?", line)]
    return (telling or lines or [type(error).__name__])[-1][:300]
