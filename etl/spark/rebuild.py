"""The whole way: a plan of snapshots, read in tasks, folded to versions, written as Parquet and into a schema."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine

from etl.errors import ConfigurationError, SparkError
from etl.load import rebuilt
from etl.load.history import COUNTED
from etl.spark import plan as planning
from etl.spark import tasks
from etl.spark.bodies import Bodies
from etl.spark.folding import Fold
from etl.spark.plan import Plan
from etl.spark.session import in_one_line

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a rebuilt history goes: a folder or URL for Parquet, and if wanted a schema of a warehouse."""

    output: str
    schema: str | None = None
    engine: Engine | None = None


@dataclass(kw_only=True, slots=True)
class Rebuilt:
    """What was rebuilt of one source: the snapshots that were read, the versions by relation, what was unreadable."""

    source: str
    snapshots: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)


def rebuild(spark: "SparkSession", plan: Plan, bodies: Bodies, target: Target) -> list[Rebuilt]:
    """Rebuild the history of every source of the plan. Raises ``ConfigurationError`` or ``SparkError``."""
    with _in_one_line():
        _require_free(spark, target.output)
    if target.engine is not None and target.schema is not None:
        with target.engine.begin() as connection:
            rebuilt.create(connection, target.schema)
    with _in_one_line():
        steps = f"{target.output}/_steps"
        for name, table in Fold(spark, keeper(spark, steps)).tables(_pieces(spark, plan, bodies)).items():
            table.write.parquet(f"{target.output}/{name}")
        _remove(spark, steps)
        if target.engine is not None and target.schema is not None:
            _copy(spark, target.output, target.schema, target.engine)
        return _told(spark, target.output, plan)


def _pieces(spark: "SparkSession", plan: Plan, bodies: Bodies) -> "DataFrame":
    """The runs of all sources, one task for each group of snapshots."""
    context = spark.sparkContext
    units = [(group.encode(),) for group in planning.groups(plan, context.defaultParallelism)]
    rows = spark.createDataFrame(context.parallelize(units, max(1, len(units))), "unit binary")
    return rows.mapInArrow(tasks.reading(bodies), tasks.PIECE)


def keeper(spark: "SparkSession", folder: str) -> "Callable[[str, DataFrame], DataFrame]":
    """Keeps each step in files of its own: what was read once is not read again when a worker is lost."""
    numbers = itertools.count()

    def keep(name: str, table: "DataFrame") -> "DataFrame":
        path = f"{folder}/{next(numbers):02}-{name}"
        table.write.parquet(path)
        return spark.read.schema(table.schema).parquet(path)

    return keep


def _copy(spark: "SparkSession", output: str, schema: str, engine: Engine) -> None:
    url = engine.url.render_as_string(hide_password=False)
    for table in rebuilt.tables(schema).tables.values():
        if table.name != "part":
            rows = spark.read.parquet(f"{output}/{table.name}")
            rows.mapInArrow(tasks.writing(url, schema, table.name), "rows bigint").collect()


def _told(spark: "SparkSession", output: str, plan: Plan) -> list[Rebuilt]:
    found = {name: Rebuilt(source=name) for name in plan}
    for name in ("model", "endpoint", "price"):
        for row in spark.read.parquet(f"{output}/{name}").groupBy("source").count().collect():
            found[row["source"]].rows[name] = row["count"]
    snapshot = spark.read.parquet(f"{output}/snapshot")
    for row in snapshot.where("failure IS NULL").groupBy("source").count().collect():
        found[row["source"]].snapshots = row["count"]
    lost = snapshot.where(snapshot.failure.isNotNull() & snapshot.status.isin(*COUNTED))
    for row in lost.orderBy("snapshot_id").collect():
        found[row["source"]].unreadable.append(f"snapshot {row['snapshot_id']}: {row['failure']}")
    return list(found.values())


def _require_free(spark: "SparkSession", output: str) -> None:
    """Nothing is overwritten: what is there may be all that somebody has."""
    system, path = _place(spark, output)
    if system.exists(path) and system.listStatus(path):
        raise ConfigurationError(f"{output} holds something already: name another folder, which is made")


def _remove(spark: "SparkSession", folder: str) -> None:
    system, path = _place(spark, folder)
    system.delete(path, True)  # noqa: FBT003  with all that is in it; Java has no names for arguments


def _place(spark: "SparkSession", name: str) -> tuple[Any, Any]:
    """The file system of a path or URL, and the path in it."""
    context = spark.sparkContext
    path = context._jvm.org.apache.hadoop.fs.Path(name)  # noqa: SLF001  Spark has no other door to its file systems
    return path.getFileSystem(context._jsc.hadoopConfiguration()), path  # noqa: SLF001


@contextmanager
def _in_one_line() -> Iterator[None]:
    from py4j.protocol import Py4JError  # noqa: PLC0415
    from pyspark.errors import PySparkException  # noqa: PLC0415

    try:
        yield
    except (Py4JError, PySparkException) as error:
        raise SparkError(f"Spark gave up: {in_one_line(error)}") from None
